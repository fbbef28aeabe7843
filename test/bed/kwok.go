package bed

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

//go:embed manifests/bad-image.yaml
var badImage string

// Node is the name of the only node.
const Node = "kwok-node-0"

// startNode starts KWOK and waits until its node takes pods.
func (b *Bed) startNode(ctx context.Context) error {
	stages, err := b.tools.Files("kwok")
	if err != nil {
		return err
	}
	config, err := b.write("kwok.yaml", bytes.Join(append(stages, []byte(badImage)), []byte("\n---\n")))
	if err != nil {
		return err
	}
	_, err = b.progs.start(ctx, launch{
		name: "kwok", path: b.tools.Binary("kwok"), ports: 1, env: b.env(),
		args: func(p []int) []string {
			return []string{
				"--kubeconfig=" + b.Kubeconfig(), "--config=" + config,
				"--manage-all-nodes=true", "--cidr=10.0.0.1/16", "--node-ip=127.0.0.1",
				"--node-lease-duration-seconds=40", "--server-address=127.0.0.1:" + strconv.Itoa(p[0]),
			}
		},
		ready: func(ctx context.Context, p []int) error {
			return get(ctx, http.DefaultClient, loopback(p[0])+"/healthz")
		},
	})
	if err != nil {
		return err
	}
	room := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("500"),
	}
	nodes := b.kube.CoreV1().Nodes()
	_, err = nodes.Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        Node,
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
			Labels: map[string]string{
				"type": "kwok", corev1.LabelHostname: Node, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
			},
		},
		Status: corev1.NodeStatus{Allocatable: room, Capacity: room},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create node %s: %w", Node, err)
	}
	return b.Wait(ctx, "node "+Node+" to take pods", func(ctx context.Context) (bool, error) {
		n, err := nodes.Get(ctx, Node, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && len(n.Spec.Taints) == 0 {
				return true, nil
			}
		}
		return false, fmt.Errorf("conditions %v, taints %v", n.Status.Conditions, n.Spec.Taints)
	})
}
