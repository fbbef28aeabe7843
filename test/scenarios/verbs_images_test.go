package scenarios

import (
	"fmt"
	"strings"
)

// automation makes an image automation choose a tag.
func automation(p *play, args string) error {
	ref, tag, _ := strings.Cut(args, " ")
	p.stage.Cluster.Choose(ref, tag)
	return nil
}

// janitor runs the upkeep that ends holds.
func janitor(p *play, _ string) error {
	_, err := p.stage.App.Flow.Sweep(p.ctx)
	return err
}

func wantImages(p *play, args string) error {
	return p.until("images "+args, func() (bool, string) {
		h := p.stage.Cluster.HeldImages()
		return (h != nil) == (args == "held"), fmt.Sprintf("%+v", h)
	})
}
