package move

import (
	"bytes"
	"net/url"
	"path/filepath"
	"testing"

	"example.com/walkaround/storage/archive"
)

// clusterTarget is a database and a bucket of their own on the servers of the tests, with the two settings that name them.
func clusterTarget(t *testing.T) target {
	t.Helper()
	documents, files := newCluster(t)
	mongodb, err := url.Parse(documents.URI)
	ok(t, err)
	mongodb.Path = "/" + documents.Database
	bucket, err := url.Parse(files.Endpoint)
	ok(t, err)
	bucket.User, bucket.Path, bucket.RawQuery = url.UserPassword(files.AccessKey, files.SecretKey), "/"+files.Bucket, "lock="+string(files.Lock)
	return target{
		env:  []string{"WALKAROUND_MONGODB_URI=" + mongodb.String(), "WALKAROUND_MINIO_URL=" + bucket.String()},
		data: "--data=" + t.TempDir(),
		look: func(t *testing.T) archive.Storage { t.Helper(); return opened(t, documents, files) },
	}
}

// The way to grow, and the way back, as an operator goes them: two commands and two settings.
func TestTwoCommandsMoveAStoreToAClusterAndBack(t *testing.T) {
	folder, visit := lived(t)
	to, back := clusterTarget(t), filepath.Join(t.TempDir(), "back")
	cluster, idle := to.env, to.data
	out := run(t, nil, "backup", "-", "--data="+folder)
	out.want(t, 0, "", "are backed up")
	runIn(t, cluster, bytes.NewReader([]byte(out.stdout)), "restore", "-", idle).want(t, 0, "are restored", "")
	runIn(t, cluster, nil, "check", idle).want(t, 0, "", "")
	runIn(t, cluster, bytes.NewReader([]byte(out.stdout)), "restore", "-", idle).want(t, 1, "", "the store is not empty")
	runIn(t, cluster, nil, "sweep", "--dry-run", idle).want(t, 0, "0 blobs (0 B) would be deleted now, 0 others", "")
	again := runIn(t, cluster, nil, "backup", "-", idle)
	again.want(t, 0, "", "are backed up")
	run(t, bytes.NewReader([]byte(again.stdout)), "restore", "-", "--data="+back).want(t, 0, "are restored", "")
	same(t, dump(t, beside(t, back)), dump(t, beside(t, folder)))
	serves(t, embedded(t, back), visit)
}
