package api

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// listed are the codes that never stand alone: those of a field in `errors`, and the warnings of an arrival.
func listed(name string, code domain.Code) bool {
	switch code {
	case domain.CodeRequired, domain.CodeTooLong, domain.CodeTooMany, domain.CodeOutOfRange, domain.CodeUnknown, domain.CodeMalformed, domain.CodeDuplicate:
		return true
	default:
		return strings.HasPrefix(name, "Warn")
	}
}

// declared finds every constant of type domain.Code in a folder and those below, by reading the sources.
func declared(t *testing.T, root string) map[string]domain.Code {
	t.Helper()
	found := map[string]domain.Code{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && isCode(spec.Type) {
				for i, name := range spec.Names {
					literal, ok := spec.Values[i].(*ast.BasicLit)
					if !ok {
						t.Errorf("%s: %s is no literal", path, name.Name)
						continue
					}
					text, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Error(err)
					}
					found[filepath.Base(filepath.Dir(path))+"."+name.Name] = domain.Code(text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func isCode(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "Code"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Code"
	}
	return false
}

func TestEveryCodeIsInTheCatalogue(t *testing.T) {
	codes := declared(t, "../domain")
	maps.Copy(codes, declared(t, "."))
	if len(codes) < 60 {
		t.Fatalf("only %d codes were found: has the way of declaring them changed?", len(codes))
	}
	known := map[domain.Code]bool{}
	for name, code := range codes {
		known[code] = true
		if unreachable[name] != "" {
			continue
		}
		_, constant, _ := strings.Cut(name, ".")
		if _, ok := catalogue[code]; !ok && !listed(constant, code) {
			t.Errorf("%s (%s) is answered as an internal error", name, code)
		}
	}
	for code := range catalogue {
		if !known[code] {
			t.Errorf("nothing declares %s", code)
		}
	}
}

// unreachable are codes that decode and the handlers turn into another before they are answered.
var unreachable = map[string]string{
	"evidence.CodeNumberOutOfRange": "malformed_json", "evidence.CodeDuplicateKey": "malformed_json", "evidence.CodeLoneSurrogate": "malformed_json",
	"evidence.CodeTooDeep": "malformed_json",
}

func TestCatalogueIsWritten(t *testing.T) {
	for code, e := range catalogue {
		if e.hant == "" || e.hans == "" || e.en == "" || e.status < 400 || e.status > 599 {
			t.Errorf("%s: %+v", code, e)
		}
		if e.title("zh-Hant") != e.hant || e.title("zh-Hans") != e.hans || e.title("en") != e.en || e.title("") != e.en {
			t.Errorf("%s: titles are mixed up", code)
		}
	}
	if list := Codes(); len(list) != len(catalogue) || list[0].Status != 400 || list[len(list)-1].Status != 507 {
		t.Errorf("%d codes are listed", len(list))
	}
}

func TestAcceptedLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "en-US,en;q=0.9": "en", "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh-Hant-MO": "zh-Hant", "zh-CN": "zh-Hans", "zh-SG,en;q=0.1": "zh-Hans",
		"zh": "zh-Hans", "fr": "en", "fr;q=1, zh-TW;q=0.5": "zh-Hant", "en;q=0.1, zh-Hant": "zh-Hant", "!!": "en", "*": "en",
	} {
		if got := acceptedLanguage(asked(http.MethodGet, "/", "", "Accept-Language", header).Request); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestErrorsBecomeProblems(t *testing.T) {
	s := &Server{Config: Config{Log: slog.New(slog.DiscardHandler)}}
	refuse := domain.Refuse(codeRateLimited, "slowly")
	for name, c := range map[string]struct {
		err    error
		status int
		code   domain.Code
		after  string
	}{
		"a refusal, wrapped":    {fmt.Errorf("sign: %w", domain.Refuse(domain.CodeIDTaken, "taken")), 409, "id_taken", ""},
		"worth trying again":    {retry{refuse, 1500 * time.Millisecond}, 429, "rate_limited", "2"},
		"throttled sign-in":     {&auth.RetryError{Refusal: domain.Refuse(auth.CodeThrottled, ""), After: time.Minute}, 429, auth.CodeThrottled, "60"},
		"unknown refusal":       {domain.Refuse("of_tomorrow", "secret"), 500, "internal", ""},
		"unknown error":         {errors.New("secret"), 500, "internal", ""},
		"absent":                {fmt.Errorf("get: %w", storage.ErrNotFound), 404, "not_found", ""},
		"damaged":               {fmt.Errorf("%w: %w", storage.ErrCorrupt, storage.ErrNotFound), 500, "internal", ""},
		"full":                  {storage.ErrFull, 507, "storage_full", ""},
		"too large":             {storage.ErrTooLarge, 413, "body_too_large", ""},
		"a cursor of others":    {storage.ErrCursor, 400, "bad_parameter", ""},
		"out of reach":          {storage.ErrUnavailable, 503, "unavailable", "2"},
		"changed by too many":   {storage.ErrStale, 503, "unavailable", "2"},
		"out of time":           {context.DeadlineExceeded, 503, "unavailable", "2"},
		"signed out":            {domain.Refuse(auth.CodeTokenExpired, ""), 401, auth.CodeTokenExpired, ""},
		"a value of no storage": {storage.ErrValue, 400, "bad_parameter", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c2, w := recorded(http.MethodGet, "/", "")
			c2.Set(keyRequest, "request-1")
			s.problem(c2, c.err)
			body := w.Body.String()
			if w.Code != c.status || !strings.Contains(body, `"code":"`+string(c.code)+`"`) || w.Header().Get("Retry-After") != c.after {
				t.Errorf("%d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), body)
			}
			if w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"request_id":"request-1"`) || strings.Contains(body, "secret") {
				t.Errorf("%s: %s", w.Header().Get("Content-Type"), body)
			}
			if asks := w.Header().Get("WWW-Authenticate") != ""; asks != (c.status == 401) {
				t.Error("WWW-Authenticate belongs to 401")
			}
		})
	}
}
