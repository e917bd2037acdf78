package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"image"
	"io"
	"sync"
	_ "unsafe" // for go:linkname, see heifWasm

	"github.com/bep/imagemeta"
	_ "github.com/gen2brain/heic" // holds heifWasm
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// heifWasm is libheif with libde265 as the module of gen2brain/heic carries it, gzipped. That module's own Decode prefers
// a libheif of the system when it finds one, runs without limit of memory and can't be stopped; here the code of
// strangers' bytes always runs in the sandbox, in bounded memory, and ends with its context.
//
//go:linkname heifWasm github.com/gen2brain/heic.heifWasm
var heifWasm []byte

// heicMemoryPages bounds the sandbox, in pages of 64 KiB: 640 MiB.
const heicMemoryPages = 10_240

// heicPerPixel is what decoding holds, in bytes a pixel: measured 20 for a phone's photo in tiles.
const heicPerPixel = 24

// heicFrame reads the dimensions from the properties of the primary item, turned as they will be shown.
func heicFrame(src *source) (frame, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return frame{}, err
	}
	f := frame{perPixel: 1}
	err := guarded(func() error {
		res, err := imagemeta.Decode(imagemeta.Options{R: src, ImageFormat: imagemeta.HEIF, Sources: imagemeta.CONFIG})
		f.width, f.height = res.ImageConfig.Width, res.ImageConfig.Height
		return err
	})
	if err == nil && f.width == 0 {
		err = boxesWithout(src)
	}
	return f, err
}

// boxesWithout says why a HEIC has no dimensions: cut off before them, or without.
func boxesWithout(src *source) error {
	br, err := src.rewound()
	if err != nil {
		return err
	}
	if err := boxesEnd(br, src.size, "meta"); err != nil {
		return err
	}
	return fmt.Errorf("image: no dimensions: %w", ErrMalformed)
}

// heicDecoder runs the decoder in a sandbox of its own a picture. It is made at the first HEIC, as compiling takes a
// second.
type heicDecoder struct {
	turn    chan struct{} // holds one: a decode at a time
	once    sync.Once
	err     error
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

func newHEICDecoder() *heicDecoder { return &heicDecoder{turn: make(chan struct{}, 1)} }

// decode waits for its turn and decodes. The result stands upright. It must be used before release is called, which
// ends the turn.
func (d *heicDecoder) decode(ctx context.Context, src *source) (img image.Image, release func(), err error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("image: waiting for the HEIC decoder: %w", ctx.Err())
	}
	release = func() { <-d.turn }
	if d.once.Do(d.compile); d.err != nil {
		release()
		return nil, nil, d.err
	}
	img, err = d.run(ctx, src)
	if err != nil {
		release()
		return nil, nil, src.verdict(err)
	}
	return img, release, nil
}

// compile prepares the runtime once.
func (d *heicDecoder) compile() {
	ctx := context.Background()
	code, err := unzip(heifWasm)
	if err != nil {
		d.err = fmt.Errorf("image: HEIC decoder: %w", err)
		return
	}
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(heicMemoryPages).WithCloseOnContextDone(true)
	d.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, d.runtime); err != nil {
		d.err = fmt.Errorf("image: HEIC decoder: %w", err)
		return
	}
	if d.code, err = d.runtime.CompileModule(ctx, code); err != nil {
		d.err = fmt.Errorf("image: HEIC decoder: %w", err)
	}
}

func unzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// close frees the runtime, after the decode that runs.
func (d *heicDecoder) close(ctx context.Context) error {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.once.Do(func() { d.err = fmt.Errorf("image: HEIC decoder: closed") })
	if d.runtime == nil {
		return nil
	}
	return d.runtime.Close(ctx)
}

// run decodes in a fresh sandbox; its memory goes with the returned picture.
func (d *heicDecoder) run(ctx context.Context, src *source) (image.Image, error) {
	mod, err := d.runtime.InstantiateModule(ctx, d.code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, sandboxError(ctx, err)
	}
	defer mod.Close(context.WithoutCancel(ctx))
	h := heicRun{ctx: ctx, mod: mod}
	if err := h.load(src); err != nil {
		return nil, err
	}
	return h.picture()
}

// sandboxError tells the end of the context from a trap inside.
func sandboxError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("image: HEIC decoder: %w", ctx.Err())
	}
	return fmt.Errorf("image: HEIC decoder: %w: %w", ErrMalformed, err)
}

// heicRun is one picture in one sandbox.
type heicRun struct {
	ctx     context.Context //nolint:containedctx // lives for one call of run.
	mod     api.Module
	in      uint64
	size    uint64
	results uint64 // five uint32: width, height, colour space, chroma, premultiplied
}

// call runs an exported function that returns one number.
func (h *heicRun) call(name string, args ...uint64) (uint64, error) {
	f := h.mod.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("image: HEIC decoder: no function %q", name)
	}
	res, err := f.Call(h.ctx, args...)
	if err != nil {
		return 0, sandboxError(h.ctx, err)
	}
	return res[0], nil
}

// alloc reserves n bytes inside.
func (h *heicRun) alloc(n uint64) (uint64, error) {
	p, err := h.call("malloc", n)
	if err == nil && p == 0 {
		err = fmt.Errorf("image: HEIC decoder: no memory: %w", ErrTooManyPixels)
	}
	return p, err
}
