package move

import (
	"bytes"
	"net/url"
	"path/filepath"
	"testing"

	"example.com/walkaround/test/minioserver"
	"example.com/walkaround/test/mongoserver"
)

// clusterEnv are the two settings that name servers of the tests, with a database and a bucket of their own.
func clusterEnv(t *testing.T) []string {
	t.Helper()
	documents, files := mongoserver.Start(t), minioserver.Start(t, minioserver.Options{})
	mongodb, err := url.Parse(documents.URI)
	ok(t, err)
	mongodb.Path = "/" + documents.Database(t)
	bucket, err := url.Parse(files.URL)
	ok(t, err)
	bucket.User, bucket.Path, bucket.RawQuery = url.UserPassword(files.AccessKey, files.SecretKey), "/walkaround-move-test", "lock=compliance"
	return []string{"WALKAROUND_MONGODB_URI=" + mongodb.String(), "WALKAROUND_MINIO_URL=" + bucket.String()}
}

// The way to grow, and the way back, as an operator goes them: two commands and two settings.
func TestTwoCommandsMoveAStoreToAClusterAndBack(t *testing.T) {
	folder, visit := lived(t)
	cluster, back, idle := clusterEnv(t), filepath.Join(t.TempDir(), "back"), "--data="+t.TempDir()
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
