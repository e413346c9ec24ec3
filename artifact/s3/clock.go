package s3

import (
	"net/http"
	"sync/atomic"
	"time"
)

// maxSkew is how far a store lets the clock that signed a request be from its own: S3 says 15 minutes. Both clocks are read in whole seconds.
const maxSkew = 15*time.Minute - 2*time.Second

// clock remembers how far behind the store's this machine's clock was when a request was refused. The answer to a HEAD request says no
// reason, but it is dated.
type clock struct {
	next   http.RoundTripper
	behind atomic.Int64 // time.Duration
}

func (c *clock) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusForbidden {
		if store, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			c.behind.Store(int64(time.Until(store)))
		}
	}
	return answer, err
}

// skewed is how far behind the store's clock this machine's is, if that is too far.
func (c *clock) skewed() (behind time.Duration, ok bool) {
	behind = time.Duration(c.behind.Load())
	return behind.Round(time.Second), behind.Abs() > maxSkew
}
