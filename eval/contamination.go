package eval

// Contamination says how many problems of an evaluation the model may have been trained on.
type Contamination struct {
	Problems int `json:"problems"`       // that have Words words in a row in common with a training problem, or are one
	Whole    int `json:"whole"`          // of these, those that are one, word for word
	Words    int `json:"words"`          //
	Sets     int `json:"sets"`           // data sets that were looked at
	Gone     int `json:"gone,omitempty"` // of these, those that are not there any more
}
