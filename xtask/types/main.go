// Command types writes what Fleetwright needs to know about the Go types of the Kubernetes API:
// fields, JSON names, kinds, protobuf numbers, list and map types, patch keys. Facts only.
//
//	go run . > ../../crates/schema/src/builtin/types.table
//
// The format is described at the top of crates/schema/src/builtin/types.rs.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"

	admission "k8s.io/api/admission/v1"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	flowcontrol "k8s.io/api/flowcontrol/v1"
	networking "k8s.io/api/networking/v1"
	node "k8s.io/api/node/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	resource "k8s.io/api/resource/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Types with a JSON form of their own, by package path and name.
var special = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                                             "time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":                                        "microtime",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":                                         "duration",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                                         "fields",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                                         "quantity",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                                       "intorstring",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                                          "raw",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "json",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "schemaorbool",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "schemaorarray",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaorstrings",
}

// Defaults that name a constant.
var constants = strings.NewReplacer(
	"ref(AzureDataDiskCachingReadWrite)", strconv.Quote(string(core.AzureDataDiskCachingReadWrite)),
	"ref(AzureSharedBlobDisk)", strconv.Quote(string(core.AzureSharedBlobDisk)),
)

func main() {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admission.AddToScheme, admissionregistration.AddToScheme, apps.AddToScheme, authentication.AddToScheme, authorization.AddToScheme,
		autoscalingv1.AddToScheme, autoscalingv2.AddToScheme, batch.AddToScheme, certificates.AddToScheme,
		coordination.AddToScheme, core.AddToScheme, discovery.AddToScheme, events.AddToScheme, flowcontrol.AddToScheme,
		networking.AddToScheme, node.AddToScheme, policy.AddToScheme, rbac.AddToScheme, resource.AddToScheme,
		scheduling.AddToScheme, storage.AddToScheme, apiextensions.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}

	seen := map[string]reflect.Type{}
	roots := map[string]string{}
	for gvk, t := range scheme.AllKnownTypes() {
		if gvk.Version == runtime.APIVersionInternal {
			continue
		}
		path := t.PkgPath()
		// Options are registered with every group; one of them is enough.
		if strings.HasSuffix(path, "meta/v1") && gvk.Group != "" {
			continue
		}
		roots[gvk.GroupVersion().String()+" "+gvk.Kind] = typeName(t)
		visit(t, seen)
	}
	for _, t := range []reflect.Type{
		reflect.TypeOf(meta.Status{}), reflect.TypeOf(meta.DeleteOptions{}), reflect.TypeOf(meta.LabelSelector{}),
	} {
		visit(t, seen)
	}

	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintln(out, "# Made by xtask/types from k8s.io/api v0.36.3. Do not edit.")
	for _, key := range sortedKeys(roots) {
		fmt.Fprintf(out, "@%s %s\n", key, roots[key])
	}
	comments := &source{packages: map[string]map[string]*typeDoc{}}
	for _, name := range sortedKeys(seen) {
		writeType(out, seen[name], comments.of(seen[name]))
	}
}

func visit(t reflect.Type, seen map[string]reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		visit(t.Elem(), seen)
	case reflect.Struct:
		if _, ok := special[t.PkgPath()+"."+t.Name()]; ok {
			return
		}
		name := typeName(t)
		if _, ok := seen[name]; ok {
			return
		}
		seen[name] = t
		for i := range t.NumField() {
			if jsonName, _ := jsonTag(t.Field(i)); jsonName != "-" {
				visit(t.Field(i).Type, seen)
			}
		}
	}
}

func writeType(out *bufio.Writer, t reflect.Type, doc *typeDoc) {
	fmt.Fprintf(out, "%s", typeName(t))
	if doc.tags["structType"] == "atomic" || doc.tags["mapType"] == "atomic" {
		fmt.Fprint(out, " atomic")
	}
	fmt.Fprintln(out)
	for i := range t.NumField() {
		field := t.Field(i)
		name, options := jsonTag(field)
		if name == "-" || field.PkgPath != "" {
			continue
		}
		inline := strings.Contains(options, "inline") || (field.Anonymous && name == "")
		if inline {
			name = "+" + field.Name
		} else if name == "" {
			panic(t.String() + "." + field.Name + " has no JSON name")
		}
		line := []string{"", name, protoNumber(field), expression(field.Type)}
		if strings.Contains(options, "omitempty") {
			line = append(line, "omitempty")
		}
		if strings.Contains(options, "omitzero") {
			line = append(line, "omitzero")
		}
		if strategy := field.Tag.Get("patchStrategy"); strategy != "" {
			line = append(line, "patch="+strategy)
		}
		if key := field.Tag.Get("patchMergeKey"); key != "" {
			line = append(line, "key="+key)
		}
		tags := doc.fields[field.Name]
		if tags == nil {
			tags = &typeDoc{tags: map[string]string{}}
		}
		if kind := tags.tags["listType"]; kind != "" {
			line = append(line, "list="+kind)
		}
		if len(tags.listMapKeys) > 0 {
			line = append(line, "keys="+strings.Join(tags.listMapKeys, ","))
		}
		if tags.tags["mapType"] == "atomic" || tags.tags["structType"] == "atomic" {
			line = append(line, "atomic")
		}
		if tags.tags["mapType"] == "granular" || tags.tags["structType"] == "granular" {
			line = append(line, "granular")
		}
		_, optional := tags.tags["optional"]
		_, required := tags.tags["required"]
		omitted := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		if optional && !omitted && !inline {
			line = append(line, "optional")
		}
		if required && omitted && !optional {
			line = append(line, "required")
		}
		if value, ok := tags.tags["default"]; ok {
			line = append(line, "default="+constants.Replace(strings.ReplaceAll(value, " ", "")))
		}
		if !inline && strings.ToUpper(name[:1])+name[1:] != field.Name {
			line = append(line, "go="+field.Name)
		}
		fmt.Fprintln(out, strings.Join(line, " "))
	}
}

func protoNumber(field reflect.StructField) string {
	parts := strings.Split(field.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return "-"
	}
	return parts[1]
}

func jsonTag(field reflect.StructField) (name, options string) {
	name, options, _ = strings.Cut(field.Tag.Get("json"), ",")
	return name, options
}

// expression writes a Go type: * pointer, [] list, {} map, then a scalar or the name of a struct.
// A list type with a name of its own is a message with items in protobuf; it is written as <>.
func expression(t reflect.Type) string {
	if name, ok := special[t.PkgPath()+"."+t.Name()]; ok {
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + expression(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		if t.Name() != "" && t.Elem().Kind() == reflect.String && t.PkgPath() != "" && (t.Name() == "ExtraValue" || t.Name() == "Verbs") {
			return "<>" + expression(t.Elem())
		}
		return "[]" + expression(t.Elem())
	case reflect.Map:
		return "{}" + expression(t.Elem())
	case reflect.Struct:
		return typeName(t)
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Float64, reflect.Uint16:
		return t.Kind().String()
	}
	panic("no expression for " + t.String())
}

func typeName(t reflect.Type) string {
	path := t.PkgPath()
	for _, prefix := range []string{"k8s.io/api/", "k8s.io/apimachinery/pkg/apis/", "k8s.io/apiextensions-apiserver/pkg/apis/"} {
		path = strings.TrimPrefix(path, prefix)
	}
	return strings.ReplaceAll(path, "/", ".") + "." + t.Name()
}

// source finds the markers (`+listType=map`) in the comments of the Go sources.
type source struct {
	packages map[string]map[string]*typeDoc
}

type typeDoc struct {
	tags        map[string]string
	listMapKeys []string
	fields      map[string]*typeDoc
}

func (s *source) of(t reflect.Type) *typeDoc {
	path := t.PkgPath()
	types, ok := s.packages[path]
	if !ok {
		types = parsePackage(path)
		s.packages[path] = types
	}
	if doc := types[t.Name()]; doc != nil {
		return doc
	}
	panic("no source for " + t.String())
}

func parsePackage(path string) map[string]*typeDoc {
	found, err := build.Default.Import(path, ".", build.FindOnly)
	if err != nil {
		panic(err)
	}
	files, err := filepath.Glob(filepath.Join(found.Dir, "*.go"))
	if err != nil {
		panic(err)
	}
	types := map[string]*typeDoc{}
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "zz_generated") || strings.HasSuffix(file, "generated.pb.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		for _, decl := range parsed.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok || general.Tok != token.TYPE {
				continue
			}
			for _, spec := range general.Specs {
				named := spec.(*ast.TypeSpec)
				comment := named.Doc
				if comment == nil {
					comment = general.Doc
				}
				doc := markers(comment)
				doc.fields = map[string]*typeDoc{}
				if structure, ok := named.Type.(*ast.StructType); ok {
					for _, field := range structure.Fields.List {
						for _, name := range field.Names {
							doc.fields[name.Name] = markers(field.Doc)
						}
					}
				}
				types[named.Name.Name] = doc
			}
		}
	}
	return types
}

func markers(comment *ast.CommentGroup) *typeDoc {
	doc := &typeDoc{tags: map[string]string{}}
	if comment == nil {
		return doc
	}
	for _, line := range comment.List {
		text := strings.TrimSpace(strings.TrimPrefix(line.Text, "//"))
		marker, ok := strings.CutPrefix(text, "+")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(marker, "=")
		if name == "listMapKey" {
			doc.listMapKeys = append(doc.listMapKeys, value)
		} else if _, repeated := doc.tags[name]; !repeated {
			doc.tags[name] = value
		}
	}
	return doc
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
