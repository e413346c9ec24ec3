package pipelines

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"temper/configs"
)

// BuiltinRecipes lists the names of the built-in recipes, sorted.
func BuiltinRecipes() []string { return embedded(configs.Recipes, "recipes") }

// LoadRecipe reads a built-in recipe by its name, or a YAML file by its path, which is found from dir when it is relative. What the
// file leaves out has DefaultRecipe's value. Ranges are checked where the recipe is used.
func LoadRecipe(name, dir string) (Recipe, error) {
	recipe := DefaultRecipe()
	file := name
	var data []byte
	var err error
	if isPath(name) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		if data, err = readSmall(file); err != nil {
			return recipe, fmt.Errorf("read recipe: %w", err)
		}
	} else {
		file = "recipes/" + name + ".yaml"
		data, err = configs.Recipes.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return recipe, fmt.Errorf("no recipe named %q%s", name, configs.Suggest(name, "", BuiltinRecipes()))
		}
		if err != nil {
			return recipe, fmt.Errorf("read recipe %s: %w", name, err)
		}
	}
	root, err := configs.ParseYAML(file, data)
	if err != nil {
		return recipe, err
	}
	return recipe, configs.Strict(file, root, &recipe)
}

// maxRecipe is far above any recipe, in bytes; a pipeline that names a device or a data file by mistake fails at once.
const maxRecipe = 1 << 20

func readSmall(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxRecipe {
		return nil, fmt.Errorf("%s is not a plain file of at most %d bytes", file, maxRecipe)
	}
	return os.ReadFile(file)
}
