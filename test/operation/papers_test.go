package operation_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/walkaround/api"
	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/test/harness"
)

// paper reads a file that people copy from.
func paper(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAlertsAndDocsNameMetricsThatExist(t *testing.T) {
	h := harness.Start(t, harness.Config(measuredHouse), harness.Config(func(c *api.Config) {
		c.Space = func() (uint64, error) { return 1 << 40, nil }
	}))
	v := h.As("advisor").ReadyVisit("粵A·70030")
	v.Sign()
	harness.Eventually(t, "work in the background", func() bool {
		metrics := scrape(t, h)
		return strings.Contains(metrics, "walkaround_task_seconds") && strings.Contains(metrics, "walkaround_background_success")
	})
	metrics := scrape(t, h)
	name := regexp.MustCompile(`\bwalkaround_[a-z_]+`)
	for _, file := range []string{"deploy/watch/alerts.yml", "docs/operations.md"} {
		for _, named := range name.FindAllString(paper(t, file), -1) {
			if !strings.Contains(metrics, "\n"+named+"{") && !strings.Contains(metrics, "\n"+named+" ") && !strings.Contains(metrics, "\n"+named+"_count") {
				t.Errorf("%s names %s, which is no metric", file, named)
			}
		}
	}
	for _, told := range regexp.MustCompile(`(?m)^# TYPE (walkaround_[a-z_]+)`).FindAllStringSubmatch(metrics, -1) {
		if !strings.Contains(paper(t, "docs/operations.md"), told[1]) {
			t.Errorf("docs/operations.md does not tell of %s", told[1])
		}
	}
}

func TestEachAlertIsExplained(t *testing.T) {
	docs := paper(t, "docs/operations.md")
	alerts := regexp.MustCompile(`alert: Walkaround(\w+)`).FindAllStringSubmatch(paper(t, "deploy/watch/alerts.yml"), -1)
	if len(alerts) < 10 {
		t.Fatalf("%d alerts", len(alerts))
	}
	for _, alert := range alerts {
		if !regexp.MustCompile(`(?m)^\| ([A-Za-z]+, )*` + alert[1] + `\b`).MatchString(docs) {
			t.Errorf("%s is not explained", alert[1])
		}
	}
}

func TestDeploymentsSetOptionsThatExist(t *testing.T) {
	options := config.Usage()
	for _, file := range []string{"deploy/compose.yaml", "deploy/cluster/compose.yaml", "deploy/walkaround.service", "Dockerfile"} {
		for _, named := range regexp.MustCompile(`\bWALKAROUND_[A-Z_]+`).FindAllString(paper(t, file), -1) {
			if named != "WALKAROUND_NAME" && !strings.Contains(options, "("+named+")") {
				t.Errorf("%s sets %s, which is no option", file, named)
			}
		}
	}
	env, compose := paper(t, "deploy/cluster/example.env"), paper(t, "deploy/cluster/compose.yaml")
	for _, wanted := range regexp.MustCompile(`[^$]\$\{([A-Z_]+)`).FindAllStringSubmatch(compose, -1) {
		if !strings.Contains(env, "\n"+wanted[1]+"=") {
			t.Errorf("example.env does not ask for %s", wanted[1])
		}
	}
}
