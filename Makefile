# Strip Mocap from a fresh clone: `make demo` and `make test` set up whatever they need in .venv.
#
#   make demo               capture the clip in demo/ and build a Blender scene from it
#   make demo VIDEO=my.mp4  the same with footage of your own
#   make test               check style and types, run every test, also inside Blender's module
#   make test-gui           drive two real Blenders with mouse and keyboard (Linux, as root)
#   make wheel              build the backend's wheel into wheels/
#   make zip                build the extension for Blender into dist/
#   make clean              remove what was built; .venv and demo-output stay
#   make PYTHON=/path/to/python3.11 ...   choose the Python

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test test-gui lint wheel zip clean env blender-test

VIDEO ?= demo/walk.mp4
DEMO_CLIP := demo/walk.mp4
DEMO_TRUTH := demo/walk.truth.npz
OUTPUT := demo-output
BIN := .venv/bin
# Looked for once, and only by what needs it.
BOOT = $(eval BOOT := $$(shell PYTHON="$(PYTHON)" sh tools/find_python.sh))$(BOOT)
export VIDEO

help:
	@sed -n 's/^#   //p' Makefile

env:
	@test -n "$(BOOT)"
	@"$(BOOT)" tools/backend_env.py

demo: env
	@mkdir -p $(OUTPUT)
	$(BIN)/stripmocap capture "$$VIDEO" -o $(OUTPUT)/capture.npz --overlay $(OUTPUT)/overlay.mp4
	$(BIN)/stripmocap overlay "$$VIDEO" $(OUTPUT)/capture.npz --picture $(OUTPUT)/overlay.png
	"$(BOOT)" tools/build_blend.py $(OUTPUT)/capture.npz -o $(OUTPUT)/capture.blend
	@if [ "$$VIDEO" = "$(DEMO_CLIP)" ]; then \
		echo 'Against the truth of the clip:'; \
		$(BIN)/stripmocap evaluate $(DEMO_CLIP) --truth $(DEMO_TRUTH) \
			--result $(OUTPUT)/capture.npz --json $(OUTPUT)/evaluation.json; \
	fi
	@echo 'Made in $(OUTPUT): capture.npz, capture.blend, overlay.mp4, overlay.png'

test: lint
	$(BIN)/python -m pytest
	@# Status 2: this machine has no Python that any Blender module is for; said aloud by the script.
	"$(BOOT)" tools/blender_env.py || [ $$? -eq 2 ]

test-gui: zip
	STRIPMOCAP_GUI=1 $(BIN)/python -m pytest -s tests/gui

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

wheel: env
	rm -f wheels/*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir wheels .

zip: wheel
	"$(BOOT)" tools/build_extension.py

clean:
	rm -rf dist wheels/*.whl .pytest_cache .ruff_cache
	find addon backend tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
