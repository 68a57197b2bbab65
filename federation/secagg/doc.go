// Package secagg adds up vectors of many members so that nobody sees a single one of them.
package secagg
