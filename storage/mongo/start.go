package mongo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"example.com/walkaround/storage"
)

// Limits of time, where the URI names none (serverSelectionTimeoutMS, timeoutMS): of finding a primary, and of a call with
// all that the driver tries for it. The context of a call may end it sooner.
const (
	selectionTimeout = 3 * time.Second
	callTimeout      = 6 * time.Second
)

func clientOptions(c Config) (*options.ClientOptions, string, error) {
	uri, err := connstring.Parse(c.URI)
	if err != nil {
		return nil, "", fmt.Errorf("storage/mongo: the URI can't be read: %w", hidden(err, c.URI))
	}
	database := c.Database
	if database == "" {
		database = uri.Database
	}
	if database == "" {
		return nil, "", errors.New("storage/mongo: the URI names no database: mongodb://host/database")
	}
	counted := countAttempts(c.Monitor)
	o := options.Client().ApplyURI(c.URI).SetMonitor(counted).
		SetWriteConcern(writeconcern.Majority()).SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary())
	if o.ServerSelectionTimeout == nil {
		o.SetServerSelectionTimeout(selectionTimeout)
	}
	if o.Timeout == nil || *o.Timeout == 0 {
		o.SetTimeout(callTimeout)
	}
	if o.AppName == nil {
		o.SetAppName("walkaround")
	}
	if err := o.Validate(); err != nil {
		return nil, "", fmt.Errorf("storage/mongo: the URI can't be used: %w", hidden(err, c.URI))
	}
	return o, database, nil
}

// hidden is an error without the URI, which may hold a password, and without any part of it.
func hidden(err error, uri string) error {
	text := err.Error()
	if _, rest, ok := strings.Cut(uri, "://"); ok {
		text = strings.ReplaceAll(text, rest, "…")
		if secret, _, ok := strings.Cut(rest, "@"); ok {
			text = strings.ReplaceAll(text, secret, "…")
			_, password, _ := strings.Cut(secret, ":")
			if password != "" {
				text = strings.ReplaceAll(text, password, "…")
			}
		}
	}
	return errors.New(text)
}

// start waits for a server and makes sure that it serves.
func (e *Engine) start(ctx context.Context, log *slog.Logger, hosts []string) error {
	where := strings.Join(hosts, ",")
	err := storage.Await(ctx, log, "MongoDB", where, func(ctx context.Context) (again bool, err error) {
		err = e.check(ctx, log)
		return passing(err), err
	})
	if err != nil {
		return fmt.Errorf("storage/mongo: %s: %w", where, err)
	}
	return nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// check asks what server it is, and in what format documents are stored.
func (e *Engine) check(ctx context.Context, log *slog.Logger) error {
	var build struct {
		Version string  `bson:"version"`
		Numbers []int32 `bson:"versionArray"`
	}
	if err := e.db.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&build); err != nil {
		return err
	}
	if len(build.Numbers) == 0 || build.Numbers[0] < oldestServer {
		return fmt.Errorf("MongoDB %s is too old: at least %d.0 is needed", build.Version, oldestServer)
	}
	var hello struct {
		Set string `bson:"setName"`
		Msg string `bson:"msg"`
	}
	if err := e.db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err == nil && hello.Set == "" && hello.Msg == "" {
		log.WarnContext(ctx, "MongoDB is neither a replica set nor a cluster: nothing is left when its one disk fails")
	}
	return e.checkFormat(ctx)
}

// oldestServer is the first major version that stores any name of a field.
const oldestServer = 5

// What format documents are stored in. A program refuses a higher one than its own: it would not know what it reads.
const (
	thisFormat = 1
	metaName   = "walkaround.meta" // no collection can be declared by a name with a dot
	formatID   = "format"
)

// format reads what is stored; 0 when nothing is.
func (e *Engine) format(ctx context.Context) (int64, error) {
	var stored struct {
		Version int64 `bson:"version"`
	}
	err := e.db.Collection(metaName).FindOne(ctx, bson.D{{Key: idField, Value: formatID}}).Decode(&stored)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	return stored.Version, err
}

// checkFormat compares the stored format with this program's, and names it in an empty database. Of several replicas that
// start at once one does so, with the same answer for all.
func (e *Engine) checkFormat(ctx context.Context) error {
	stored, err := e.format(ctx)
	switch {
	case err != nil:
		return err
	case stored > thisFormat:
		return fmt.Errorf("the documents are in format %d, and this program knows %d: a newer one has been here", stored, thisFormat)
	case stored > 0 || e.readOnly:
		return nil
	}
	_, err = e.db.Collection(metaName).InsertOne(ctx, bson.D{{Key: idField, Value: formatID}, {Key: "version", Value: int64(thisFormat)}})
	if mongo.IsDuplicateKeyError(err) {
		return e.checkFormat(ctx)
	}
	return err
}
