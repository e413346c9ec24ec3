package contract

// Search attributes that runs and stages set, to find them by in Temporal's UI.
const (
	AttributePipeline  = "TemperPipeline"  // name of the pipeline
	AttributeStage     = "TemperStage"     // id of the stage; of a run, the one that started last
	AttributeIteration = "TemperIteration" // how many rounds, steps or models are done
	AttributeReward    = "TemperReward"    // mean reward of the last round
	AttributeModel     = "TemperModel"     // artifact of the model made last
)

// Attributes are the search attributes that a namespace must have, with Temporal's names of their types.
var Attributes = map[string]string{
	AttributePipeline: "Keyword", AttributeStage: "Keyword", AttributeIteration: "Int", AttributeReward: "Double", AttributeModel: "Keyword",
}
