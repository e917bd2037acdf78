package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server in a process of its own.
type process struct {
	command *exec.Cmd
	base    string // its URL
	took    time.Duration
}

// start runs a program until it says where it listens and answers there. env is added to this program's own.
func start(ctx context.Context, env []string, name string, args ...string) (*process, error) {
	began := clock()
	p := &process{command: exec.CommandContext(ctx, name, args...)} //nolint:gosec // the binary that is measured
	p.command.Env = append(os.Environ(), env...)
	p.command.Stderr = os.Stderr
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGTERM) }
	p.command.WaitDelay = 30 * time.Second
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for p.base == "" && lines.Scan() {
		if _, base, ok := strings.Cut(lines.Text(), "listening on "); ok {
			p.base = base
		}
	}
	if p.base == "" {
		return nil, fmt.Errorf("%s did not listen: %w", name, p.command.Wait())
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // what it prints later is of no interest
	if err := answers(ctx, p.base); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	p.took = clock().Sub(began)
	return p, nil
}

// answers asks once; any answer will do.
func answers(ctx context.Context, base string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", http.NoBody)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// stop ends the process in order.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.command.Wait()
}

// ticks is the kernel's unit of CPU time in /proc, on every architecture that Go knows.
const ticks = 10 * time.Millisecond

// cpu is the CPU time that the process has used.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	return parseCPU(string(stat))
}

// parseCPU adds user and system time, the 14th and 15th field; the second may hold spaces.
func parseCPU(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat of %d fields", len(fields))
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * ticks, errors.Join(err, err2)
}

// resident reads a line of /proc/PID/status in bytes: VmRSS for now, VmHWM for the most since resetPeak.
func (p *process) resident(line string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(l, line+":"); ok {
			n, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in status", line)
}

// resetPeak begins VmHWM anew.
func (p *process) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.command.Process.Pid), []byte("5"), 0)
}
