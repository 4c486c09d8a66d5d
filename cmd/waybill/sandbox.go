package main

type sandboxCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *sandboxCmd) Run() error { return nil }
