// Package sim plays federations in virtual time.
package sim
