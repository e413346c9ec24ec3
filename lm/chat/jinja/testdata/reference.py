"""Writes reference.json: templates with what Jinja (3.1.6), set up as transformers (5.24.0) does, makes of them; null: it refuses.

    pip install jinja2==3.1.6 transformers==5.24.0 && python reference.py
"""
import datetime as dt
import json
import os

from transformers.utils import chat_template_utils as ctu

here = os.path.dirname(os.path.abspath(__file__))


class Clock(dt.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 5, 9, 3, 7)


ctu.datetime = Clock
VARS = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "  hi <b>\n"},
                 {"role": "assistant", "content": "yo", "tool_calls": [{"function": {"name": "f", "arguments": {"z": 1, "a": [1.5, None, True, "é\"\\\t\u2028\x7f😀"]}}}]},
                 {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image"}]}],
    "s": "Hello, wörld", "n": 7, "f": 2.5, "big": 1e16, "small": 1e-5, "t": True, "nothing": None, "empty": [], "d": {"b": 2, "a": 1, "items": "key"},
    "words": ["pear", "Apple", "fig", "apple"], "nested": {"x": {"y": [10, 20]}}, "quote": "it's", "both": "a'b\"c", "lines": "one\n\n  two\nthree",
}
TEMPLATES = r'''
{{ 1 }} {{ 1.0 }} {{ true }} {{ none }} {{ [1, 'a', none] }} {{ (1,) }} {{ (1, 2) }} {{ {'a': 1, 2: 'x'} }} {{ undefined_name }}|
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 1 + 2.0 }} {{ n * f }} {{ -n }} {{ +n }} {{ 1_000 }}
{{ -f // 2 }} {{ -f % 2 }} {{ 4.0 / 2 }} {{ big }} {{ small }} {{ 123456789.125 }} {{ 1e100 }} {{ 0.1 + 0.2 }}
{{ 'a' ~ 1 ~ none ~ true ~ 1.0 }} {{ 'a' + 'b' }} {{ 'ab' * 3 }} {{ 2 * 'x' }} {{ [1] + [2] }} {{ [0] * 3 }} {{ 'a' 'b' "c" }}
{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ true == 1 }} {{ 'a' == 'a' != 'b' }} {{ none == none }} {{ [1] == (1,) }}
{{ 'ell' in s }} {{ 'x' not in s }} {{ 'a' in d }} {{ 1 in [1, 2] }} {{ not 1 in [1] }} {{ 'y' in nested.x }} {{ 'role' in messages[0] }}
{{ 1 and 0 }} {{ 0 or 'x' }} {{ not 1 }} {{ '' or none }} {{ (1 if n > 3 else 2) }} {{ 'a' if false }}| {{ 'a' if n is defined else 'b' if t else 'c' }}
{{ s[0] }}{{ s[-1] }} {{ s[1:4] }} {{ s[::-1] }} {{ s[:-3] }} {{ s[5:] }} {{ s[::2] }} {{ s[10:2:-3] }} {{ s[100:] }}| {{ words[::-1] }} {{ words[1:] }} {{ words[-2:] }} {{ words[:1] }} {{ words[5] }}|
{{ messages[0].role }} {{ messages[0]['role'] }} {{ messages[-1].content[0].text }} {{ nested.x.y.1 }} {{ nested['x']['y'][-1] }} {{ d.missing }}| {{ d['missing'] is defined }} {{ d.items() | list }}
{{ d['items'] }} {{ d.get('a') }} {{ d.get('q') }} {{ d.get('q', 'dflt') }} {{ d.keys() | list }} {{ d.values() | list }} {{ d | items | list }} {{ d | length }}
{{ s.upper() }} {{ s.lower() }} {{ 'ab cd-ef'.title() }} {{ 'ABC dEF'.capitalize() }} {{ s.startswith('Hell') }} {{ s.endswith(('x', 'ld')) }} {{ s.replace('l', 'L') }} {{ s.replace('l', 'L', 1) }}
{{ '  a b '.strip() }}| {{ '  a '.lstrip() }}| {{ ' a  '.rstrip() }}| {{ 'xxaxx'.strip('x') }} {{ '\n\na\n'.lstrip('\n') }}| {{ '<think>a</think>b'.split('</think>')[-1] }}
{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b  c '.split(none, 1) }} {{ 'a b c'.rsplit(maxsplit=1) }} {{ 'abc'.split('x') }}
{{ ', '.join(words) }} {{ s.find('w') }} {{ s.find('q') }} {{ s.rfind('l') }} {{ s.index('ö') }} {{ s.count('l') }} {{ 'a\nb\r\nc\n'.splitlines() }} {{ 'x'.zfill(3) }} {{ '-5'.zfill(4) }}
{{ '{} and {}'.format(1, 'b') }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=3) }} {{ '{{}}'.format() }} {{ '%s-%d' % ('a', 3) }} {{ '%s' % 'z' }} {{ '%05.1f|%-4s|' | format(2.25, 'q') }}
{{ '12'.isdigit() }} {{ 'a1'.isalnum() }} {{ 'ab'.isalpha() }} {{ ' '.isspace() }} {{ 'AB'.isupper() }} {{ 'ab'.islower() }} {{ ''.isdigit() }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'a.b.c'.partition('.') }}
{{ s | upper }} {{ 'the quick-brown (fox' | title }} {{ 'aBC' | capitalize }} {{ '  x ' | trim }}| {{ 'xax' | trim('x') }} {{ s | length }} {{ s | first }}{{ s | last }} {{ empty | first }}| {{ s | reverse }} {{ words | reverse | list }}
{{ missing | default('d') }} {{ '' | default('d') }}| {{ '' | default('d', true) }} {{ none | default('d') }} {{ none | d('d', boolean=true) }} {{ words | join }} {{ words | join('; ') }} {{ messages | join(',', attribute='role') }} {{ [1, none] | join('-') }}
{{ messages | map(attribute='role') | list }} {{ words | map('upper') | join(' ') }} {{ messages | map(attribute='name', default='?') | list }} {{ words | map('replace', 'p', 'P') | list }}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages | rejectattr('role', 'eq', 'user') | map(attribute='role') | list }} {{ messages | selectattr('tool_calls', 'defined') | list | length }} {{ messages | selectattr('tool_calls') | list | length }}
{{ [1, 2, 3, 4] | select('odd') | list }} {{ [1, 0, 2] | select | list }} {{ [1, 2, 3] | reject('gt', 1) | list }} {{ [1, 2] | reject('in', [2]) | list }} {{ [3, 1, 2] | sort }} {{ words | sort }} {{ words | sort(true, true) }} {{ words | unique | list }}
{{ messages | sort(attribute='role') | map(attribute='role') | list }} {{ [1, 2, 3] | sum }} {{ [1, 5, 3] | max }} {{ words | min }} {{ -3 | abs }} {{ 2.567 | round(1) }} {{ 2.5 | round }} {{ 2.1 | round(method='ceil') }} {{ '42' | int }} {{ 'x' | int(5) }} {{ '3.9' | int }} {{ '2.5' | float }} {{ 3.99 | int }}
{{ d | dictsort }} {{ 5 | string }} {{ 'a<b>&\'"' | e }} {{ '<b>' | safe }} {{ 'abc' | list }} {{ lines | indent }} {{ lines | indent(2, true) }} {{ lines | indent(width='> ', blank=true) }} {{ 'a b c' | wordcount }} {{ 'hello world again' | truncate(9) }} {{ 'hello world' | truncate(8, true, '…', 0) }}
{{ messages[2].tool_calls | tojson }}
{{ messages[2].tool_calls[0].function | tojson(indent=2) }}
{{ d | tojson(sort_keys=true) }} {{ d | tojson(separators=(',', ':')) }} {{ s | tojson(ensure_ascii=true) }} {{ '😀<&>' | tojson(ensure_ascii=true) }} {{ [] | tojson(indent=2) }} {{ {} | tojson }} {{ [1.0, big, small, none] | tojson }} {{ {1: 2, true: 3, none: 4} | tojson }}
{{ nested | tojson(indent=1) }} {{ 'a' | tojson | length }} {{ [[], [1, [2]]] | tojson(indent='\t') }}
{{ quote }} {{ [quote] }} {{ [both] }} {{ ['\n\t\\'] }} {{ ['é😀\x00\x7f'] }} {{ [lines] }} {{ ['\u200b\xa0'] }}
{{ n is number }} {{ t is number }} {{ t is boolean }} {{ n is boolean }} {{ n is integer }} {{ t is integer }} {{ f is float }} {{ s is string }} {{ d is mapping }} {{ s is sequence }} {{ d is sequence }} {{ s is iterable }} {{ n is iterable }} {{ nothing is none }} {{ missing is none }}
{{ missing is defined }} {{ missing is not defined }} {{ missing is undefined }} {{ d.a is defined }} {{ n is odd }} {{ n is divisibleby 7 }} {{ n is divisibleby(2) }} {{ n is eq 7 }} {{ n is ge(8) }} {{ 'A' is upper }} {{ none is sameas none }} {{ t is true }} {{ 1 is true }} {{ n is in [7] }} {{ range is callable }}
{{ missing is iterable }} {{ not missing is defined and t }} {{ messages[0].content is string and messages[0].role == 'system' }} {{ n is defined and n is not none }}
{{ range(3) | list }} {{ range(1, 7, 2) | list }} {{ range(3, 0, -1) | list }} {{ dict(a=1, b=2) }} {{ dict({'x': 1}, y=2) }} {{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %y %I%p %%') }}
{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem.role if loop.previtem is defined }}{{ loop.nextitem.role if not loop.last }};{% endfor %}
{% for m in messages if m.role == 'user' %}{{ loop.index }}/{{ loop.length }}{{ m.role }}{% else %}none{% endfor %}{% for x in empty %}a{% else %}none{% endfor %}{% for x in missing %}a{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }},{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'héy' %}{{ c }}.{% endfor %}{% for a, b in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}{% for i in range(3) %}{{ i }}{% endfor %}
{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.role }}{% if loop.index == 3 %}{% break %}{% endif %},{% endfor %}{% for i in [1, 2] %}{% for j in [1, 2] %}{% if j == 2 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}
{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{{ loop.cycle('a', 'b') }}{% endfor %}{% for x in [[1, [2]], [3]] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 9 %}{% endif %}{{ x }}{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set ns = namespace(found=false, n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% if m.role == 'assistant' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.n }}{{ ns.found }}{{ ns.other is defined }}
{% set block %}  a{{ n }}b  {% endset %}[{{ block }}]{% set up | upper | trim %} x {% endset %}[{{ up }}]{% filter upper %}abc{{ s }}{% endfilter %}
{% macro f(x, y=2, z='q') %}<{{ x }}{{ y }}{{ z }}>{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(1, z='w') }}{{ f(x=5) }}{{ f() }}{{ f(1) | upper }}{{ f(1) ~ 'x' }}{% set k = {'z': 8} %}{{ f(*[4], **k) }}
{% macro outer() %}[{{ caller() }}|{{ caller() }}]{% endmacro %}{% call outer() %}in{{ n }}{% endcall %}{% macro each(l) %}{% for i in l %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(i) each([1, 2]) %}{{ i }},{% endcall %}
{% macro fact(k) %}{% if k <= 1 %}1{% else %}{{ k * (fact(k - 1) | int) }}{% endif %}{% endmacro %}{{ fact(6) }}{% macro sees() %}{{ n }}{{ later }}{% endmacro %}{% set later = 'L' %}{{ sees() }}
{% with a = 1, b = n %}{{ a }}{{ b }}{% set n = 0 %}{{ n }}{% endwith %}{{ n }}{{ a }}|
{% raw %}{{ not }} {% a %} {# b #}{% endraw %}|{% raw -%}  x  {%- endraw %}|{# comment {{ }} #}|{#- c -#}  |
{% generation %}abc{{ n }}{% endgeneration %}x{% for m in messages %}{% generation %}{{ m.role }}{% endgeneration %},{% endfor %}
{{ {'a': {'b': {}}}['a'] }}{{ {'x': '}}'} }}{{ '%}' }}{{ "{{" }}
{{- ' a' -}}  b  {{- ' c' }} {%- if true -%}  d  {%- endif +%} e
{% if n == 1 %}a{% elif n == 7 %}b{% else %}c{% endif %}{% if missing %}a{% elif none %}b{% else %}c{% endif %}{% if messages and messages[0].role == 'system' %}S{% endif %}{% if not (t and n) %}q{% endif %}
{{ messages[1:] | length }}{% set messages = messages[1:] %}{{ messages | length }}{{ (messages | last).role }}{{ messages[-1]['content'] | map(attribute='type') | list }}{{ messages | length - 1 }}{{ n|string + 'x' }}{{ -1|abs }}
{{ raise_exception('no') }}
{{ missing.attr }}
{{ missing + 1 }}
{{ none.attr }}|{{ n.attr }}|{{ 'a'.attr }}|
{{ missing() }}
{{ none() }}
{{ 1 + 'a' }}
{{ 1 < 'a' }}
{{ words.append('x') }}
{{ n | nofilter }}
{{ n is notest }}
{{ 1 / 0 }}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% unknown %}
{% if true %}
{{ 'abc }}
{{ 1 +
{% set x.y = 1 %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{{ missing | tojson }}
{{ 'a' in 5 }}
{% break %}
{{ range(1000000) | length }}
{% macro g(a) %}{{ a }}{% endmacro %}{{ g(1, 2) }}
{% macro g(a) %}{{ a }}{% endmacro %}{{ g(b=2) }}
{{ 'a' if }}
{{ [1, 2 }}
'''.strip("\n").split("\n")
TEMPLATES += ["", "\n", "a\n", "a\n\n", "{% if true %}\n  a\n  {% endif %}\nb\n", "  {% if true %}  \n  x{% endif %}  \n", "{% for m in messages %}\n    {{ m.role }}\n    {%- if loop.last %}\n  end\n    {%- endif %}\n{% endfor %}\n",
              "  {# c #}\n  a\n", "  {{ n }}\n  b", "a {% set x = 1 %} b\n{% set y = 2 -%}\n\n  c\n\t{%+ if true %}d{% endif %}", "x\r\ny{% if true %}\r\nz{% endif %}\r\n", "{%- macro m(a) %}\n  {{- a }}\n{%- endmacro %}\n\n{{ m(1) }}",
              "{%\n  if n\n  ==\n  7 %}multi{% endif %}{{\n  n\n}}", "{{ n }}\n{% raw %}\n  a\n{% endraw %}\nb", "{% set long = namespace(\n  a=1,\n  b=[1,\n 2,],\n) %}{{ long.b }}{{ {'a': 1,} }}",
              "{{ 'it''s' }}{{ \"a\\\"b\\n\\u00e9\\x41\\q\" }}", "{{ n if n > 5 and n < 9 else 'no' }}{{ (n, f)[1] }}{{ [n, f][0] ~ '' }}",
              "{% generation %}{% for i in range(2) %}{{ i }}{% endfor %}{% endgeneration %}\n{% if t %}{% generation %}\n y{% endgeneration %}\n{% endif %}",
              "{{ messages|selectattr('role','in',['user','system'])|map(attribute='content')|first }}", "{% if 'a' is in ['a'] %}y{% endif %}{{ d.items()|list|length }}{{ (d.items()|list)[0][1] }}"]

cases = []
for source in TEMPLATES:
    try:
        template = ctu._compile_jinja_template(source)
        text, ranges = ctu._render_with_assistant_indices(template, tools=None, documents=None, add_generation_prompt=False, **VARS)
    except Exception:  # which error is a matter of its own
        text, ranges = None, []
    if text is not None:
        ranges = [[len(text[:a].encode()), len(text[:b].encode())] for a, b in ranges]
    cases.append({"template": source, "text": text, "generation": ranges})
with open(os.path.join(here, "reference.json"), "w") as f:
    json.dump({"variables": VARS, "cases": cases}, f, indent=1)
    f.write("\n")
print(sum(c["text"] is None for c in cases), "of", len(cases), "refused")
