// A page around scarlet.wasm: pictures in, labels out, all of it here.

const $ = (id) => document.getElementById(id);
const SAMPLES = [
  "00-t-shirt-top-0019", "01-trouser-0002", "02-pullover-0001", "03-dress-0013", "04-coat-0006",
  "05-sandal-0008", "07-sneaker-0009", "08-bag-0018", "09-ankle-boot-0039",
];

/* ---- the library ---- */

// All that it wants of a system: a clock. Files and environment are empty here.
const NO_SUCH = 44; // WASI's errno ENOENT
const view = () => new DataView(wasm.memory.buffer);
const system = {
  clock_time_get(clock, precision, to) {
    view().setBigUint64(to, BigInt(Math.round(performance.now() * 1e6)), true);
    return 0;
  },
  environ_sizes_get(count, size) {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return 0;
  },
  environ_get: () => 0,
  fd_pread: () => NO_SUCH,
};

const { instance } = await WebAssembly.instantiateStreaming(fetch("scarlet.wasm"), {
  wasi_snapshot_preview1: system,
  env: { emscripten_notify_memory_growth() {} },
});
const wasm = instance.exports;
wasm._initialize();

function text(at) {
  const bytes = new Uint8Array(wasm.memory.buffer, at);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

// Calls use(pointer) with a copy of `bytes` in the library's memory.
function lend(bytes, use) {
  const at = wasm.malloc(bytes.length);
  if (!at) throw new Error("out of memory");
  try {
    new Uint8Array(wasm.memory.buffer).set(bytes, at);
    return use(at);
  } finally {
    wasm.free(at);
  }
}

function load(bytes) {
  if (lend(bytes, (at) => wasm.page_load(at, bytes.length))) throw new Error(text(wasm.page_error()));
  return text(wasm.page_model());
}

function classify({ data, width, height }) {
  const n = lend(data, (at) => wasm.page_classify(at, width, height));
  if (n < 0) throw new Error(text(wasm.page_error()));
  return Array.from({ length: n }, (_, i) => ({ label: text(wasm.page_label(i)), score: wasm.page_score(i) }));
}

/* ---- the page ---- */

let shown; // the pixels that are on the page

async function decode(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = $("picture");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function answer() {
  if (!shown) return;
  const start = performance.now();
  const best = classify(shown);
  const ms = performance.now() - start;
  $("answers").replaceChildren(
    ...best.map(({ label, score }) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      const percent = document.createElement("span");
      const bar = document.createElement("meter");
      name.textContent = label;
      percent.textContent = `${(100 * score).toFixed(1)} %`;
      percent.className = "score";
      bar.value = score;
      item.dataset.score = score;
      item.append(name, percent, bar);
      return item;
    }),
  );
  $("status").textContent = `${shown.width} × ${shown.height} pixels in ${ms.toFixed(1)} ms`;
}

// Runs a step; what goes wrong is shown on the page.
async function attempt(step) {
  $("error").textContent = "";
  try {
    await step();
  } catch (error) {
    $("error").textContent = error.message;
  }
}

const show = (blob) =>
  attempt(async () => {
    shown = await decode(blob);
    answer();
  });

const exchange = (blob) =>
  attempt(async () => {
    const name = load(new Uint8Array(await blob.arrayBuffer())); // on error the old model stays
    $("answers").replaceChildren();
    $("status").textContent = `${name} is loaded. Drop a picture.`;
    answer();
  });

const take = (file) => file && (file.type.startsWith("image/") ? show(file) : exchange(file));

$("file").addEventListener("change", (event) => take(event.target.files[0]));
$("model").addEventListener("change", (event) => take(event.target.files[0]));
for (const name of ["dragover", "dragleave", "drop"])
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragover");
  });
document.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));

for (const name of SAMPLES) {
  const button = document.createElement("button");
  const picture = document.createElement("img");
  picture.src = `samples/${name}.png`;
  picture.alt = name;
  button.append(picture);
  button.addEventListener("click", async () => show(await (await fetch(picture.src)).blob()));
  $("samples").append(button);
}

await attempt(async () => {
  const answer = await fetch("model.safetensors");
  if (!answer.ok) throw new Error(`model.safetensors: ${answer.statusText}`);
  await exchange(await answer.blob());
});
