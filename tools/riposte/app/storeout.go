package app

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/parquet-go/parquet-go"

	"riposte/core"
)

func (f *storeFlags) check() error {
	if f.Format == "parquet" && f.Out == "" {
		return usageError{errors.New("--out is missing, want a file for --format parquet")}
	}
	return nil
}

// rowSink takes rows one by one.
type rowSink[T any] interface {
	row(*T) error
	end() error
}

// writeRows writes the rows that ask calls its function with, in the form that is wanted.
// A file is there as a whole or as it was before.
func writeRows[T any](o *output, f *storeFlags, ask func(func(*T) error) error) (err error) {
	to := o.stdout
	if f.Out != "" {
		var file *os.File
		if file, err = os.CreateTemp(filepath.Dir(f.Out), filepath.Base(f.Out)+".*"); err != nil {
			return fmt.Errorf("cannot write %s: %w", f.Out, err)
		}
		to = file
		defer func() {
			if err = errors.Join(err, file.Close()); err == nil {
				err = os.Rename(file.Name(), f.Out)
			}
			if err != nil {
				_ = os.Remove(file.Name())
				err = fmt.Errorf("cannot write %s: %w", f.Out, err)
			}
		}()
	}
	buffered := bufio.NewWriter(to)
	var sink rowSink[T]
	switch f.Format {
	case "parquet":
		sink = &parquetSink[T]{parquet.NewGenericWriter[T](buffered, parquet.Compression(&parquet.Zstd))}
	case "csv":
		sink = newCSVSink[T](buffered)
	case "json":
		sink = &jsonSink[T]{buffered}
	default:
		sink = newTableSink[T](buffered)
	}
	if err = ask(sink.row); err == nil {
		err = sink.end()
	}
	return errors.Join(err, buffered.Flush())
}

// columns are the names of a row's fields, which their Parquet tags begin with.
func columns[T any]() (names []string) {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("parquet"), ",")
		names = append(names, name)
	}
	return names
}

// cells are a row's fields as text: decimals in full, times in UTC, "" where there is
// nothing.
func cells[T any](row *T, dst []string) []string {
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		dst = append(dst, cell(v.Field(i)))
	}
	return dst
}

func cell(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case core.WallNs:
		if x == 0 {
			return ""
		}
		return time.Unix(0, int64(x)).UTC().Format(time.RFC3339Nano)
	case fmt.Stringer:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		if math.IsNaN(v.Float()) {
			return ""
		}
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return v.String()
}

type csvSink[T any] struct {
	w   *csv.Writer
	buf []string
}

func newCSVSink[T any](w io.Writer) *csvSink[T] {
	s := &csvSink[T]{w: csv.NewWriter(w)}
	_ = s.w.Write(columns[T]()) // an error comes again at the end
	return s
}

func (s *csvSink[T]) row(r *T) error {
	s.buf = cells(r, s.buf[:0])
	return s.w.Write(s.buf)
}

func (s *csvSink[T]) end() error {
	s.w.Flush()
	return s.w.Error()
}

// jsonSink writes an object a row: decimals and times as text, for no number of JSON's
// holds them for sure.
type jsonSink[T any] struct{ w io.Writer }

func (s *jsonSink[T]) row(r *T) error {
	var b bytes.Buffer
	v := reflect.ValueOf(r).Elem()
	for i, name := range columns[T]() {
		sep := ','
		if i == 0 {
			sep = '{'
		}
		fmt.Fprintf(&b, "%c%q:", sep, name)
		x := v.Field(i).Interface()
		switch x.(type) {
		case int64, bool:
		default:
			x = cell(v.Field(i))
		}
		text, err := json.Marshal(x)
		if err != nil {
			return err
		}
		b.Write(text)
	}
	b.WriteString("}\n")
	_, err := s.w.Write(b.Bytes())
	return err
}

func (s *jsonSink[T]) end() error { return nil }

// tableSink is for eyes: columns side by side, and "-" for nothing.
type tableSink[T any] struct {
	w   *tabwriter.Writer
	buf []string
}

func newTableSink[T any](w io.Writer) *tableSink[T] {
	s := &tableSink[T]{w: tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)}
	fmt.Fprintln(s.w, strings.Join(columns[T](), "\t"))
	return s
}

func (s *tableSink[T]) row(r *T) error {
	s.buf = cells(r, s.buf[:0])
	for i := range s.buf {
		if s.buf[i] == "" {
			s.buf[i] = "-"
		}
	}
	_, err := fmt.Fprintln(s.w, strings.Join(s.buf, "\t"))
	return err
}

func (s *tableSink[T]) end() error { return s.w.Flush() }

type parquetSink[T any] struct{ w *parquet.GenericWriter[T] }

func (s *parquetSink[T]) row(r *T) error {
	_, err := s.w.Write([]T{*r})
	return err
}

func (s *parquetSink[T]) end() error { return s.w.Close() }
