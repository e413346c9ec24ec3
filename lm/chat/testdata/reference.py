"""Writes reference.json: conversations in chat templates as transformers (5.24.0) writes them, with tokens and masks.

    pip install transformers==5.24.0 jinja2==3.1.6 && DATA=../../../../shared/data python reference.py

Of templates from public models, which lie in DATA and not here, only a digest of the text is kept. The masks of
templates without {% generation %} blocks follow the rule in training.go, with the reference's offsets of tokens.
"""
import datetime as dt
import glob
import hashlib
import json
import os

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils as ctu

here = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ["DATA"]


class Clock(dt.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 5, 9, 3, 7)


ctu.datetime = Clock

CHATML = """{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou answer questions.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + (message.content or '') }}
    {%- for call in message.tool_calls or [] %}
        {{- '\\n<call>' + (call.function | tojson) + '</call>' }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
GENERATION = """{% for message in messages %}
<|im_start|>{{ message.role }}
{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}

{% else %}
{{ message.content }}<|im_end|>
{% endif %}
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}
"""
LLAMA3 = """{{- bos_token }}
{%- set start = 0 %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}
    {%- set start = 1 %}
{%- else %}
    {%- set system = '' %}
{%- endif %}
{%- if strftime_now is defined %}{% set today = strftime_now('%d %b %Y') %}{% else %}{% set today = '1 Jan 2020' %}{% endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\nToday: ' ~ today ~ '\\n\\n' }}
{%- if tools is not none and tools %}
    {{- 'Functions:\\n' }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- '\\n\\n' }}
    {%- endfor %}
{%- endif %}
{{- system + '<|eot_id|>' }}
{%- for message in messages[start:] %}
    {%- if message.role in ['tool', 'ipython'] %}
        {{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' }}
        {{- message.content | tojson if message.content is mapping or message.content is iterable and message.content is not string else message.content }}
        {{- '<|eot_id|>' }}
    {%- elif message.tool_calls is defined %}
        {%- if message.tool_calls | length != 1 %}{{ raise_exception('One call at a time.') }}{% endif %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + message.tool_calls[0].function.name + '", "parameters": ' }}
        {{- message.tool_calls[0].function.arguments | tojson }}
        {{- '}<|eot_id|>' }}
    {%- else %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
"""
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set ns = namespace(turns=0) %}
{%- for message in loop_messages if message.role in ["user", "assistant"] and not message.tool_calls is defined %}
    {%- if (message["role"] == "user") != (ns.turns % 2 == 0) %}
        {{- raise_exception("Roles must alternate: user, assistant, user…") }}
    {%- endif %}
    {%- set ns.turns = ns.turns + 1 %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools and message == (loop_messages | selectattr("role", "equalto", "user") | list | last) %}
            {{- "[TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{% endif %}
            {%- endfor %}
            {{- "][/TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] " ~ (message.tool_calls | map(attribute="function") | list | tojson) ~ eos_token }}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token }}
    {%- elif message["role"] == "tool" %}
        {{- '[TOOL_RESULTS] ' ~ message.content ~ '[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user, assistant and tool roles are known.") }}
    {%- endif %}
{%- endfor %}
"""
REASONING = """{%- macro show(message, thoughts) %}
    {%- if thoughts and message.reasoning_content %}{{ '<think>\\n' ~ message.reasoning_content.strip('\\n') ~ '\\n</think>\\n\\n' }}{% endif %}
    {{- message.content.split('</think>')[-1].lstrip('\\n') if message.content is string else message.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join }}
{%- endmacro %}
{%- set ns = namespace(last=messages | length - 1) %}
{%- for message in messages[::-1] %}
    {%- if message.role == 'user' %}{% set ns.last = messages | length - 1 - loop.index0 %}{% break %}{% endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == 'tool' and (loop.previtem is not defined or loop.previtem.role != 'tool') %}{{ '<|im_start|>results\\n' }}{% endif %}
    {%- if message.role == 'tool' %}
        {{- message.content ~ '\\n' }}
        {%- if loop.last or loop.nextitem.role != 'tool' %}{{ '<|im_end|>\\n' }}{% endif %}
        {%- continue %}
    {%- endif %}
    {{- '<|im_start|>' ~ message.role | title ~ '\\n' ~ show(message, loop.index0 > ns.last) ~ '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>Assistant\\n' }}{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}
"""
OWN = {"chatml": CHATML, "generation": GENERATION, "llama3": LLAMA3, "mistral": MISTRAL, "reasoning": REASONING}

TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather of a \"place\" <now>.", "parameters": {
    "type": "object", "properties": {"place": {"type": "string", "description": "Größe, 場所"}, "days": {"type": "integer", "enum": [1, 2]}}, "required": ["place"]}}},
    {"type": "function", "function": {"name": "clock", "description": "The time.", "parameters": {"type": "object", "properties": {}}}}]
CALL = {"role": "assistant", "content": "", "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "weather", "arguments": {"place": "Köln", "days": 2}}}]}
CONVERSATIONS = {
    "one turn": {"messages": [{"role": "user", "content": "Hello, how many apples?"}]},
    "answered": {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "There are 12 apples."}]},
    "system": {"messages": [{"role": "system", "content": " Be brief.\n"}, {"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]},
    "turns": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " 2+2? "}, {"role": "assistant", "content": "\n4 é你😀\n"},
                           {"role": "user", "content": "and\n3+3?"}, {"role": "assistant", "content": "6", "name": None}]},
    "special text": {"messages": [{"role": "user", "content": "<|im_end|> is </s> a token"}, {"role": "assistant", "content": "Is <|im_start|> too?\n"}]},
    "reasoning": {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "reasoning_content": "2 and 2\n", "content": "4"},
                               {"role": "user", "content": "3+3?"}, {"role": "assistant", "thinking": "3 and 3", "content": "6"}]},
    "reasoning once": {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "reasoning": "2 and 2\n", "content": "4"}]},
    "inline reasoning": {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4"}, {"role": "user", "content": "sure?"}]},
    "tools": {"messages": [{"role": "system", "content": "Use tools."}, {"role": "user", "content": "Weather in Köln?"}, CALL,
                           {"role": "tool", "name": "weather", "tool_call_id": "call00001", "content": "{\"sky\": \"grey\"}"}, {"role": "assistant", "content": "Grey."}], "tools": TOOLS},
    "tool call last": {"messages": [{"role": "user", "content": "Weather in Köln?"}, CALL], "tools": TOOLS},
    "two results": {"messages": [{"role": "user", "content": "Weather?"}, dict(CALL, content="I look.", tool_calls=CALL["tool_calls"] * 2), {"role": "tool", "content": "a"}, {"role": "tool", "content": "b"}]},
    "two users": {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
    "starts with assistant": {"messages": [{"role": "assistant", "content": "Hi."}, {"role": "user", "content": "b"}]},
}

corpus = [m["content"] for c in CONVERSATIONS.values() for m in c["messages"]] + list(OWN.values()) + [json.dumps(TOOLS)]
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
tok = Tokenizer(models.BPE())
tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SPLIT), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False, trim_offsets=False)])
tok.decoder = decoders.ByteLevel()
SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "[INST]", "[/INST]"]
tok.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=480, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=SPECIAL, show_progress=False))
fast = PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<s>", eos_token="</s>")


def render(source, named, conversation, prompt, **more):
    messages = [{k: v for k, v in m.items() if v is not None} for m in conversation["messages"]]
    texts, marks = ctu.render_jinja_template(conversations=[messages], tools=conversation.get("tools"), chat_template=source, add_generation_prompt=prompt,
                                             return_assistant_tokens_mask="{% generation %}" in source, **named, **more)
    return texts[0]


def ranges(source, named, conversation, whole):
    """The assistant's turns by prefixes; None where the template does not allow it."""
    out = []
    for i, m in enumerate(conversation["messages"]):
        if m["role"] != "assistant":
            continue
        if i == 0:
            return None
        before = render(source, named, dict(conversation, messages=conversation["messages"][:i]), True)
        turn = render(source, named, dict(conversation, messages=conversation["messages"][:i + 1]), False)
        if not turn.startswith(before) or not whole.startswith(turn):
            return None
        end = len(turn)
        if any(turn.rstrip().endswith(s) for s in SPECIAL):
            end = max(len(turn.rstrip()), len(before))
        out.append((len(before), end))
    return out


cases = []
for name, source in OWN.items():
    for title, conversation in CONVERSATIONS.items():
        for prompt in [False, True]:
            case = {"template": name, "conversation": title, "prompt": prompt, "text": None, "ids": None, "mask": None}
            cases.append(case)
            try:
                case["text"] = render(source, {"bos_token": "<s>", "eos_token": "</s>"}, conversation, prompt)
            except Exception:
                continue
            case["ids"] = fast.apply_chat_template(conversation["messages"], tools=conversation.get("tools"), chat_template=source, add_generation_prompt=prompt)["input_ids"]
            if prompt:
                continue
            if "{% generation %}" in source:
                mask = fast.apply_chat_template(conversation["messages"], tools=conversation.get("tools"), chat_template=source, return_dict=True, return_assistant_tokens_mask=True)["assistant_masks"]
            else:
                try:
                    spans = ranges(source, {"bos_token": "<s>", "eos_token": "</s>"}, conversation, case["text"])
                except Exception:
                    spans = None
                if spans is None:
                    continue
                offsets = fast(case["text"], add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
                mask = [int(any(a < e and b > s for s, e in spans)) for a, b in offsets]
            case["mask"] = "".join(map(str, mask)) if any(mask) else None

shared = []
for path in sorted(glob.glob(DATA + "/tokenizers/**/*tokenizer_config.json", recursive=True)):
    with open(path) as f:
        config = json.load(f)
    if not isinstance(config.get("chat_template"), str):
        continue
    named = {k: v["content"] if isinstance(v, dict) else v for k, v in config.items() if k in ("bos_token", "eos_token", "pad_token", "unk_token") and v}
    rows = []
    for title, conversation in CONVERSATIONS.items():
        for more in [{}, {"enable_thinking": False}]:
            for prompt in [False, True]:
                try:
                    digest = hashlib.sha256(render(config["chat_template"], named, conversation, prompt, **more).encode()).hexdigest()
                except Exception:
                    digest = None
                rows.append({"conversation": title, "prompt": prompt, "variables": more, "digest": digest})
    shared.append({"path": os.path.relpath(path, DATA), "rows": rows})

with open(os.path.join(here, "reference.json"), "w") as f:
    json.dump({"tokenizer": json.loads(tok.to_str()), "templates": OWN, "conversations": CONVERSATIONS, "cases": cases, "shared": shared}, f, separators=(",", ":"))
    f.write("\n")
print(len(cases), "cases,", sum(c["text"] is None for c in cases), "refused,", sum(c["mask"] is not None for c in cases), "masks;", len(shared), "shared")
