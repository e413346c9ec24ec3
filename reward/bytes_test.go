package reward

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Stage keys hash these bytes: what changes them makes every run that used the part start anew.
func TestBytesOfParts(t *testing.T) {
	for text, want := range map[string]string{
		"{correct: 1}": `{"correct":1}`,
		"{finished: true, bound: [-1, 1.5], correct: 0.5, answer: math}":        `{"correct":0.5,"answer":"math","bound":[-1,1.5],"finished":true}`,
		"{correct: 1, finished: false, answer: ''}":                             `{"correct":1}`,
		"{format: 0.1, pattern: '<a> & #[0-9]{2}$', bound: [0, 0.1]}":           `{"format":0.1,"bound":[0,0.1],"pattern":"\u003ca\u003e \u0026 #[0-9]{2}$"}`,
		"{length: 1, target: 100}":                                              `{"length":1,"target":100}`,
		"{length: -1e-9, unit: words, max: 1e21, shape: cosine}":                `{"length":-1e-9,"max":1e+21,"shape":"cosine","unit":"words"}`,
		"{length: 1, shape: linear, max: 0}":                                    `{"length":1,"shape":"linear"}`,
		"{repetition: 0.2, n: 4}":                                               `{"repetition":0.2,"n":4}`,
		"{distinct: 2, bound: [0, 0.5]}":                                        `{"distinct":2,"bound":[0,0.5]}`,
		"{required_words: 1}":                                                   `{"required_words":1}`,
		"{service: 1, url: 'http://host:80/x', batch: 8, timeout_seconds: 2.5}": `{"service":1,"batch":8,"timeout_seconds":2.5,"url":"http://host:80/x"}`,
		"{url: 'https://host/', service: 0.25, bound: [0, 1]}":                  `{"service":0.25,"bound":[0,1],"url":"https://host/"}`,
	} {
		var p PartSpec
		require.NoError(t, yaml.Unmarshal([]byte(text), &p), text)
		body, err := json.Marshal(p)
		require.NoError(t, err)
		require.Equal(t, want, string(body), text)
		var again PartSpec
		require.NoError(t, json.Unmarshal(body, &again))
		require.Equal(t, p, again)
	}
}
