package main

type importCmd struct{}

func (c *importCmd) Run() error { return nil }
