package federation

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestHappyRounds(t *testing.T) {
	for n := 3; n <= 5; n++ {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			c := newCluster(t, n, 4, uint64(n))
			c.run(time.Minute)
			if got, want := c.kinds(), []string{"setup", "train", "train", "train"}; !slices.Equal(got, want) {
				t.Errorf("rounds %v, want %v", got, want)
			}
		})
	}
}
