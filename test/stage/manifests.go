package stage

import "fmt"

// Deployment is the manifest of a Deployment in namespace shop that runs one image.
func Deployment(name, tag string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
        - name: %[1]s
          image: registry.example/%[1]s:%[2]s
`, name, tag)
}
