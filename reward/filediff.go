package reward

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var hunkHeader = regexp.MustCompile(`^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)`)

// fileDiffs reads a unified diff: the hunks of each file by its path, as SWE-RL's get_filelevel_diff writes them. A hunk that does not have as many
// lines as its header says, and a hunk of no file, are errors.
func fileDiffs(text string) (map[string]string, error) {
	out := map[string]string{}
	lines := strings.Split(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	var old, path, rename string
	var hunks []string
	end := func() {
		if body := strings.TrimSpace(rename + "\n" + strings.Join(hunks, "\n")); path != "" && body != "" {
			out[path] = body
		}
		old, path, rename, hunks = "", "", "", nil
	}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "diff --git "):
			end()
		case strings.HasPrefix(line, "--- "):
			if len(hunks) > 0 {
				end()
			}
			old = diffPath(line[4:], "a/")
		case strings.HasPrefix(line, "+++ "):
			path = diffPath(line[4:], "b/")
			if old == "" {
				return nil, fmt.Errorf("line %d: a new file's name without the old one's", i+1)
			}
			if old != path && old != "/dev/null" && path != "/dev/null" {
				rename, path = fmt.Sprintf("rename from %s to %s", old, path), old
			} else if path == "/dev/null" {
				path = old
			}
		case strings.HasPrefix(line, "@@ "):
			m := hunkHeader.FindStringSubmatch(line)
			if m == nil || path == "" {
				return nil, fmt.Errorf("line %d: a hunk without a header or without a file", i+1)
			}
			n, err := hunkLines(lines[i+1:], count(m[2]), count(m[4]))
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			head := fmt.Sprintf("@@ -%s,%d +%s,%d @@", m[1], count(m[2]), m[3], count(m[4]))
			if m[5] != "" {
				head += " " + m[5]
			}
			hunks = append(hunks, strings.TrimSpace(head+"\n"+strings.Join(lines[i+1:i+1+n], "\n")))
			i += n
		}
	}
	end()
	return out, nil
}

// diffPath is the path in the line of a file's name, without its prefix and time.
func diffPath(text, prefix string) string {
	path, _, _ := strings.Cut(text, "\t")
	return strings.TrimPrefix(path, prefix)
}

func count(digits string) int {
	if digits == "" {
		return 1
	}
	n, _ := strconv.Atoi(digits) // the pattern has at most nine digits
	return n
}

// hunkLines is how many lines a hunk with these counts of old and new lines has.
func hunkLines(lines []string, old, new int) (int, error) {
	for i, line := range lines {
		if old == 0 && new == 0 {
			if strings.HasPrefix(line, `\`) { // no line feed at the end of the file
				return i + 1, nil
			}
			return i, nil
		}
		switch {
		case line == "" || line[0] == ' ' || line == "\r":
			old, new = old-1, new-1
		case line[0] == '-':
			old--
		case line[0] == '+':
			new--
		case line[0] != '\\':
			return 0, fmt.Errorf("%q is no line of a hunk", clip(line))
		}
		if old < 0 || new < 0 {
			return 0, fmt.Errorf("the hunk is longer than its header says")
		}
	}
	if old != 0 || new != 0 {
		return 0, fmt.Errorf("the hunk is shorter than its header says")
	}
	return len(lines), nil
}
