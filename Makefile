# Each target sets up .venv by itself, from a fresh clone, and is quick when nothing changed.
#   make PYTHON=python3.12          another Python (3.11 or newer)
#   make TORCH_INDEX=URL            take torch from that package index first, such as the one with its CPU builds
#   make test ARGS="-k kernels"     more arguments for the command behind a target

PYTHON ?= python3
TORCH_INDEX ?=
ARGS ?=
RESULTS := benchmarks/results

BIN := .venv/bin
STAMP := .venv/installed.stamp
CPP := $(shell find kernels -name '*.h' -o -name '*.cpp')

# The pinned versions hold for the packages that the build needs too (newer pips read the second name). As an
# address, since pip takes a space in a path for the end of it.
EMPTY :=
CONSTRAINTS := file://$(subst $(EMPTY) $(EMPTY),%20,$(CURDIR))/constraints.txt
export PIP_CONSTRAINT := $(CONSTRAINTS)
export PIP_BUILD_CONSTRAINT := $(CONSTRAINTS)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A classifier of reviews, which `python benchmarks/text.py imdb` trains in half an hour.
SENTIMENT ?= $(RESULTS)/text/imdb-0/network/model.unrolled

.PHONY: demo test check bench docs pictures stubs sanitize web web-check screenshots clean

demo: $(STAMP)
	$(BIN)/unrolled demo --out demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy src
	$(BIN)/clang-format --dry-run -Werror $(CPP)
	$(BIN)/python tools/stubs.py --check
	$(BIN)/python tools/docs.py

# Every table of docs/benchmarks.md, and those of attention and of the CTC search, about 25 minutes on a machine with nothing else to do; the numbers as JSON, too.
bench: $(STAMP)
	$(BIN)/python benchmarks/layers.py --threads 2,1 --json $(RESULTS)/layers.json $(ARGS)
	$(BIN)/python benchmarks/layers.py --tiny --threads 2 --json $(RESULTS)/tiny.json $(ARGS)
	$(BIN)/python benchmarks/layers.py --ragged --threads 2 --json $(RESULTS)/ragged.json $(ARGS)
	$(BIN)/python benchmarks/layers.py --options --threads 2 --json $(RESULTS)/options.json $(ARGS)
	$(BIN)/python benchmarks/layers.py --minimal --threads 2 --json $(RESULTS)/minimal.json $(ARGS)
	$(BIN)/python benchmarks/layers.py --kept --json $(RESULTS)/kept.json $(ARGS)
	$(BIN)/python benchmarks/layers.py --rivals --threads 2 --json $(RESULTS)/rivals.json $(ARGS)
	$(BIN)/python benchmarks/layers.py --busy --threads 2 --quick --json $(RESULTS)/busy.json
	$(BIN)/python benchmarks/step.py --json $(RESULTS)/step.json $(ARGS)
	$(BIN)/python benchmarks/precision.py --json $(RESULTS)/precision.json
	$(BIN)/python benchmarks/overhead.py --json $(RESULTS)/overhead.json
	$(BIN)/python benchmarks/scan.py --threads 2,1 --json $(RESULTS)/scan.json $(ARGS)
	$(BIN)/python benchmarks/attention.py --threads 2,1 --json $(RESULTS)/attention.json $(ARGS)
	$(BIN)/python benchmarks/ctc.py --json $(RESULTS)/ctc.json $(ARGS)
	$(BIN)/python benchmarks/language.py --json $(RESULTS)/language.json $(ARGS)
	$(BIN)/python benchmarks/transducer.py --json $(RESULTS)/transducer.json $(ARGS)
	$(BIN)/python benchmarks/bptt.py

docs: $(STAMP)
	$(BIN)/python tools/docs.py

# The pictures of docs/learn, docs/lens.md and docs/lab.md: about a quarter of an hour. Without the classifier its
# picture stays; those of the lab need Playwright and a Chromium.
pictures: $(STAMP)
	$(BIN)/python examples/vanishing_gradient.py "1000 steps" docs/learn/gradient.png
	$(BIN)/python examples/units_that_track.py 12m - docs/learn/unit.png
	test ! -f $(SENTIMENT) || $(BIN)/python examples/sentiment_word_by_word.py 1m $(SENTIMENT) docs/learn/sentiment.png
	$(BIN)/python tools/lab_pictures.py

stubs: $(STAMP)
	$(BIN)/python tools/stubs.py

# The page's types, tests and bundle; needs Node 20.19 or newer.
web:
	@command -v npm > /dev/null || { echo "make: no npm here: install Node 20.19 or newer" >&2; exit 1; }
	cd web && npm ci --no-audit && npm test && npm run build

# Builds the bundle aside and compares it with the committed one; says so where Node or the registry is missing.
web-check: $(STAMP)
	$(BIN)/python tools/bundle.py

# Pictures of every view, to be looked at: light and dark, wide and narrow; in screenshots/.
screenshots: $(STAMP)
	$(BIN)/python tools/screenshots.py $(ARGS)

# The kernels' tests under the address and undefined-behaviour sanitizers of GCC or Clang (Linux).
sanitize: $(STAMP)
	bash tools/sanitize.sh $(ARGS)

clean:
	rm -rf .venv build

$(STAMP): pyproject.toml constraints.txt CMakeLists.txt $(CPP)
	@command -v $(PYTHON) > /dev/null || { echo "make: no $(PYTHON) here: install Python 3.11 or newer, or name it with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is $$($(PYTHON) --version), and 3.11 or newer is needed: name one with PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "make: $(PYTHON) could not make a virtual environment (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "Setting up .venv (minutes the first time)"
	@test -z "$(TORCH_INDEX)" || $(BIN)/python -m pip install -qq --no-deps --index-url "$(TORCH_INDEX)" torch || { echo "make: pip could not install torch from $(TORCH_INDEX): the lines above say why" >&2; exit 1; }
	@$(BIN)/python -m pip install -qq --editable '.[dev,lens]' || { echo "make: pip could not install unrolled: the lines above say why (UNROLLED_KERNELS=off leaves the native kernels out)" >&2; exit 1; }
	@$(BIN)/python -c 'import os; os.environ.pop("UNROLLED_KERNELS", None); from unrolled import kernels; why = kernels.why_not(); print("Native kernels: " + kernels.isa() if why is None else "*** The native kernels were NOT built: " + why + " ***")'
	@touch $@
