package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"temper/artifact"
)

// protect adds to a put what the options ask of the store: encryption for every object,
// retention for those that never change.
func (b *backend) protect(key string, put *minio.PutObjectOptions) error {
	switch b.options.Encryption {
	case SSES3:
		put.ServerSideEncryption = encrypt.NewSSE()
	case SSEKMS:
		sse, err := encrypt.NewSSEKMS(b.options.KMSKey, nil)
		if err != nil {
			return fmt.Errorf("put %s: encryption: %w", key, err)
		}
		put.ServerSideEncryption = sse
	}
	if b.options.LockMode != "" && (strings.HasPrefix(key, "blobs/") || strings.HasPrefix(key, "manifests/")) {
		put.Mode = minio.RetentionMode(strings.ToUpper(b.options.LockMode))
		put.RetainUntilDate = time.Now().UTC().AddDate(0, 0, b.options.LockDays)
		put.SendContentMd5 = true // stores ask for it
	}
	return nil
}

// ErrProtection says that the store does not do what the options ask for.
var ErrProtection = errors.New("the store does not protect objects as asked for")

// refused makes an answer of the store an ErrProtection. What says nothing about the
// store's abilities stays what it is.
func (b *backend) refused(ctx context.Context, asked string, err error) error {
	err = b.classify(ctx, err)
	if errors.Is(err, artifact.ErrUnreachable) || errors.Is(err, artifact.ErrDenied) || ctx.Err() != nil {
		return fmt.Errorf("%s: %w", asked, err)
	}
	return fmt.Errorf("%w: %s: %v", ErrProtection, asked, err)
}

// encryptionProbe is put once to see what the store makes of encryption.
const encryptionProbe = "gc/encryption"

// checkProtection finds out whether the store does what the options ask for. Some stores
// take the request for encryption, and store the object as it is.
func (b *backend) checkProtection(ctx context.Context) error {
	if b.options.LockMode != "" {
		_, _, _, _, err := b.client.GetObjectLockConfig(ctx, b.options.Bucket)
		if err != nil {
			return b.refused(ctx, fmt.Sprintf("lock mode %s in bucket %s", b.options.LockMode, b.options.Bucket), err)
		}
	}
	if b.options.Encryption == "" {
		return nil
	}
	put := minio.PutObjectOptions{DisableMultipart: true, SendContentMd5: true}
	if err := b.protect(encryptionProbe, &put); err != nil {
		return err
	}
	name := b.options.Prefix + encryptionProbe
	if _, err := b.client.Client.PutObject(ctx, b.options.Bucket, name, bytes.NewReader([]byte("{}")), 2, put); err != nil {
		return b.refused(ctx, "encryption "+b.options.Encryption, err)
	}
	info, err := b.client.StatObject(ctx, b.options.Bucket, name, minio.StatObjectOptions{})
	err = errors.Join(err, b.client.RemoveObject(ctx, b.options.Bucket, name, minio.RemoveObjectOptions{}))
	if err != nil {
		return b.explain(ctx, "look at", encryptionProbe, err)
	}
	want := map[string]string{SSES3: "AES256", SSEKMS: "aws:kms"}[b.options.Encryption]
	if got := info.Metadata.Get("X-Amz-Server-Side-Encryption"); got != want {
		return fmt.Errorf("%w: encryption %s: the store took the request, and says %q of the object where it should say %q", ErrProtection, b.options.Encryption, got, want)
	}
	return nil
}
