package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"temper/configs"
	"temper/devstack"
)

// stackRecord is the file stack.json in the data folder: how other processes of the same person reach the servers that one of them
// runs there. It holds the store's key, and is for its owner only.
type stackRecord struct {
	PID       int       `json:"pid"`
	Command   string    `json:"command"` // up or run: what the servers last for
	Started   time.Time `json:"started"`
	Temporal  string    `json:"temporal"`
	Namespace string    `json:"namespace"`
	UI        string    `json:"ui"`
	S3        string    `json:"s3"`
	Region    string    `json:"region"`
	Bucket    string    `json:"bucket"`
	AccessKey string    `json:"access_key"`
	SecretKey string    `json:"secret_key"`
}

func recordPath(dir string) string { return filepath.Join(dir, "stack.json") }

// writeRecord says that this process runs a stack; remove takes the file away if it is still this process's.
func writeRecord(s *devstack.Stack, command string) (remove func() error, err error) {
	path := recordPath(s.Dir)
	o := s.S3()
	body, err := json.MarshalIndent(stackRecord{PID: os.Getpid(), Command: command, Started: time.Now().UTC(), Temporal: s.TemporalAddress,
		Namespace: s.Namespace, UI: s.UIURL, S3: s.S3Endpoint, Region: o.Region, Bucket: s.Bucket, AccessKey: s.AccessKey, SecretKey: s.SecretKey}, "", "  ")
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(s.Dir, ".stack-")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(append(body, '\n'))
	if err = errors.Join(err, f.Chmod(0o600), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return func() error {
		if r, ok := readRecord(s.Dir); !ok || r.PID != os.Getpid() {
			return nil
		}
		return os.Remove(path)
	}, nil
}

// readRecord returns the record of a process that lives. A file that cannot be read counts as none: the data folder's lock decides
// who may start a stack, and says who has it.
func readRecord(dir string) (stackRecord, bool) {
	var r stackRecord
	body, err := os.ReadFile(recordPath(dir))
	if err != nil || json.Unmarshal(body, &r) != nil || r.PID <= 0 {
		return r, false
	}
	return r, alive(r.PID)
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// apply points settings at the recorded stack.
func (r stackRecord) apply(s configs.Settings) configs.Settings {
	s.Temporal = configs.Temporal{Address: r.Temporal, Namespace: r.Namespace}
	s.S3 = configs.S3{Endpoint: r.S3, AccessKey: r.AccessKey, SecretKey: configs.Secret(r.SecretKey), Region: r.Region, Bucket: r.Bucket, Prefix: s.S3.Prefix}
	return s
}
