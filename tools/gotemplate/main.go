// Renders the cases of tests/gotemplate/cases.json as kops toolbox template does, so that
// the evaluator in Python can be held to what Go itself prints.
//
//	apt-get install golang-go golang-github-masterminds-sprig-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tools/gotemplate/main.go \
//	  < tests/gotemplate/cases.json > new.json
//
// include and indent are those of kops, pkg/util/templater/template_functions.go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
)

type Case struct {
	Template string                 `json:"template"`
	Snippets map[string]string      `json:"snippets,omitempty"`
	Text     *string                `json:"text"`
	Error    string                 `json:"error,omitempty"`
	Unknown  string                 `json:"unknown,omitempty"`
}

type File struct {
	Go     string          `json:"go"`
	Sprig  string          `json:"sprig"`
	Values json.RawMessage `json:"values"`
	Cases  []Case          `json:"cases"`
}

func indentContent(indent int, content string) string {
	var b bytes.Buffer
	lines := strings.Split(content, "\n")
	for i, x := range lines {
		spacer := indent
		if i == 0 || len(x) <= 0 {
			spacer = 0
		}
		b.WriteString(strings.Repeat(" ", spacer) + x)
		if i < len(lines)-1 {
			b.WriteString("\n")
		}
	}
	return b.String()
}

func render(c Case, given json.RawMessage) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	tm := template.New("mainTemplate")
	funcs := sprig.TxtFuncMap()
	funcs["indent"] = indentContent
	funcs["include"] = func(name string, context map[string]interface{}) string {
		var b bytes.Buffer
		if err := tm.ExecuteTemplate(&b, name, context); err != nil {
			panic(err.Error())
		}
		return b.String()
	}
	if _, err = tm.Funcs(funcs).Parse(c.Template); err != nil {
		return
	}
	tm.Option("missingkey=error")
	for name, snippet := range c.Snippets {
		if _, err = tm.New(name).Parse(snippet); err != nil {
			return
		}
	}
	var b bytes.Buffer
	// A function may change a map, so every case has its own.
	var values map[string]interface{}
	if err = json.Unmarshal(given, &values); err != nil {
		return
	}
	err = tm.ExecuteTemplate(&b, "mainTemplate", values)
	return b.String(), err
}

func main() {
	var file File
	if err := json.NewDecoder(os.Stdin).Decode(&file); err != nil {
		panic(err)
	}
	file.Go, file.Sprig = runtime.Version(), "3.2.3"
	for i := range file.Cases {
		c := &file.Cases[i]
		c.Text, c.Error = nil, ""
		if c.Unknown != "" {
			continue
		}
		text, err := render(*c, file.Values)
		if err != nil {
			c.Error = err.Error()
		} else {
			c.Text = &text
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	out.Encode(file)
}
