package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/minio/minio-go/v7"

	"temper/artifact"
)

// explain turns what the client answered into the errors that artifact promises, with
// what was being done and to which key. A deadline of the caller's stays a deadline.
func (b *backend) explain(ctx context.Context, doing, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s in bucket %s: %w", doing, key, b.options.Bucket, b.classify(ctx, err))
}

func (b *backend) classify(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%w (%s)", cause, err)
	}
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return b.classifyAnswer(answer)
	}
	var netErr net.Error
	var opErr *net.OpError
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return err // a local file
	case errors.As(err, &netErr), errors.As(err, &opErr), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w at %s: %w", artifact.ErrUnreachable, b.options.Endpoint, err)
	}
	return err
}

func (b *backend) classifyAnswer(answer minio.ErrorResponse) error {
	status := answer.StatusCode
	switch answer.Code {
	case minio.NoSuchBucket:
		// Not ErrNotFound: a bucket that is gone is no answer about one key of it.
		return fmt.Errorf("%s has no such bucket", b.options.Endpoint)
	case minio.NoSuchKey:
		return artifact.ErrNotFound
	case minio.PreconditionFailed:
		return artifact.ErrPrecondition
	case minio.AccessDenied, minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch, "ExpiredToken", "InvalidToken":
		status = http.StatusForbidden
	}
	said := fmt.Sprintf("%s (%s, HTTP %d)", answer.Error(), answer.Code, answer.StatusCode)
	switch {
	case answer.Code == "RequestTimeTooSkewed": // clocks are mended
		return fmt.Errorf("%w: the clock of this machine or that of %s is wrong: %s", artifact.ErrUnreachable, b.options.Endpoint, said)
	case status == http.StatusNotFound:
		return artifact.ErrNotFound
	case status == http.StatusPreconditionFailed:
		return artifact.ErrPrecondition
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return fmt.Errorf("%w by %s for access key %q: %s", artifact.ErrDenied, b.options.Endpoint, b.options.AccessKey, said)
	case status == http.StatusNotImplemented: // and never will be
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return fmt.Errorf("%w: %s answers: %s", artifact.ErrUnreachable, b.options.Endpoint, said)
	}
	return errors.New(said)
}
