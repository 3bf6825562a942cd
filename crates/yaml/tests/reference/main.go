// Reads texts and prints what the Go libraries make of each: the reference for our own reader and
// writer.
//
// Input is a sequence of frames, each a decimal length, a line feed, and so many bytes. For every
// frame one JSON line is printed. Versions are those of kustomize 5.8.1.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

// answer holds one text or one error for each thing that was tried.
type answer struct {
	// Every document read into a tree and written again: two spaces, compact sequences.
	RoundTrip      string `json:"roundTrip"`
	RoundTripError string `json:"roundTripError,omitempty"`
	// The same without compact sequences, indented by four.
	Wide string `json:"wide"`
	// sigs.k8s.io/yaml, lenient and strict.
	JSON        string `json:"json"`
	JSONError   string `json:"jsonError,omitempty"`
	StrictError string `json:"strictError,omitempty"`
	// The JSON above as YAML.
	YAML string `json:"yaml"`
	// The first document as kustomize prints it.
	Canonical      string `json:"canonical"`
	CanonicalError string `json:"canonicalError,omitempty"`
}

func guard(problem *string, run func() error) {
	defer func() {
		if caught := recover(); caught != nil {
			*problem = fmt.Sprintf("panic: %v", caught)
		}
	}()
	if err := run(); err != nil {
		*problem = err.Error()
	}
}

func roundTrip(text []byte, indent int, compact bool) (string, error) {
	decoder := yaml3.NewDecoder(bytes.NewReader(text))
	var out bytes.Buffer
	encoder := yaml3.NewEncoder(&out)
	encoder.SetIndent(indent)
	if compact {
		encoder.CompactSeqIndent()
	}
	for {
		var node yaml3.Node
		err := decoder.Decode(&node)
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if err := encoder.Encode(&node); err != nil {
			return "", err
		}
	}
	if out.Len() == 0 {
		// An encoder that wrote nothing cannot be closed.
		return "", nil
	}
	err := encoder.Close()
	return out.String(), err
}

func canonical(text []byte) (string, error) {
	var node yaml3.Node
	if err := yaml3.Unmarshal(text, &node); err != nil {
		return "", err
	}
	if node.Kind == 0 {
		return "", nil
	}
	var value interface{}
	if node.Content[0].Kind == yaml3.MappingNode {
		var object map[string]interface{}
		if err := node.Decode(&object); err != nil {
			return "", err
		}
		value = object
	} else if err := node.Decode(&value); err != nil {
		return "", err
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	printed, err := sigs.JSONToYAML(encoded)
	return string(printed), err
}

func look(text []byte) answer {
	var result answer
	guard(&result.RoundTripError, func() (err error) {
		result.RoundTrip, err = roundTrip(text, 2, true)
		return err
	})
	var ignored string
	guard(&ignored, func() (err error) {
		result.Wide, err = roundTrip(text, 4, false)
		return err
	})
	guard(&result.JSONError, func() error {
		encoded, err := sigs.YAMLToJSON(text)
		if err != nil {
			return err
		}
		result.JSON = string(encoded)
		printed, err := sigs.JSONToYAML(encoded)
		result.YAML = string(printed)
		return err
	})
	guard(&result.StrictError, func() error {
		_, err := sigs.YAMLToJSONStrict(text)
		return err
	})
	guard(&result.CanonicalError, func() (err error) {
		result.Canonical, err = canonical(text)
		return err
	})
	return result
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		header, err := in.ReadString('\n')
		if err == io.EOF && header == "" {
			return
		}
		length, parseErr := strconv.Atoi(strings.TrimSpace(header))
		if err != nil || parseErr != nil {
			fmt.Fprintln(os.Stderr, "bad frame")
			os.Exit(2)
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(in, text); err != nil {
			fmt.Fprintln(os.Stderr, "short frame")
			os.Exit(2)
		}
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(look(text)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		// A caller may wait for each answer.
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}
