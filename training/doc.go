// Package training turns labelled frames into weights.
package training
