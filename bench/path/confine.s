// The functions of confine.go without a body are the runtime's; a package with an
// assembly file may declare them.
