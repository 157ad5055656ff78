// Package path measures tick-to-order from outside.
package path
