package main

import (
	"fmt"

	"temper/lm/chat"
	"temper/lm/tokenizer"
	"temper/pipelines"
	"temper/tasks"
)

// checkConversations makes the first conversations that a stage trains on into tokens, as the stage will. An error names the file and the
// line. A model whose tokenizer cannot be read is reported where the model is made.
func checkConversations(p *pipelines.Pipeline, s *pipelines.SFT, sets map[string][]tasks.Problem) error {
	for _, name := range s.Data {
		if p.Tasks[name].Format != "messages" || len(sets[name]) == 0 {
			continue
		}
		tok, from := modelTokenizer(p, s.Model)
		if tok == nil {
			return nil
		}
		template, err := chat.New(tok)
		if err != nil {
			return fmt.Errorf("%s: the model of %s: %w", sets[name][0].Place(), from, err)
		}
		for _, problem := range sets[name][:min(len(sets[name]), coverFirst)] {
			if err := checkConversation(template, problem, s.Length); err != nil {
				return fmt.Errorf("%s: %w", problem.Place(), err)
			}
		}
	}
	return nil
}

func checkConversation(template *chat.Template, problem tasks.Problem, length int) error {
	c, err := chat.Parse(problem.Messages, problem.Tools)
	if err != nil {
		return err
	}
	ids, _, err := template.Training(c, chat.Options{})
	if err != nil {
		return err
	}
	if len(ids)-1 > length {
		return fmt.Errorf("the conversation has %d tokens, and a row holds %d (length)", len(ids), length+1)
	}
	return nil
}

// modelTokenizer follows a stage's model back to where its tokenizer comes from, and says which stage that is; nil: it cannot be read.
func modelTokenizer(p *pipelines.Pipeline, id string) (tok *tokenizer.Tokenizer, from string) {
	for range p.Stages {
		st := p.Stage(id)
		if st == nil {
			return nil, id
		}
		var err error
		switch s := st.Settings.(type) {
		case *pipelines.Import:
			tok, err = tokenizer.Load(s.Path)
		case *pipelines.Pretrain:
			switch s.Tokenizer {
			case "bytes":
				tok = tokenizer.Bytes()
			case "chars":
				tok = tokenizer.Chars(p.Tasks[s.Data].Alphabet())
			default:
				tok, err = tokenizer.Load(s.Tokenizer)
			}
		case *pipelines.SFT:
			id = s.Model
			continue
		case *pipelines.RL:
			id = s.Model
			continue
		case *pipelines.Distill:
			id = s.Teacher
			continue
		}
		if err != nil {
			return nil, id
		}
		return tok, id
	}
	return nil, id
}
