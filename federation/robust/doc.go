// Package robust limits what poisoned updates of allowed length can do to a mean.
package robust
