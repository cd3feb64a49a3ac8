#!/usr/bin/python3
"""The page in headless Chromium, beside the `scarlet` command on the same pictures.

    examples/web/test.py PAGE SCARLET [SCREENSHOT]

PAGE is the folder that build.sh made, SCARLET the command. Needs Debian's chromium-driver and
python3-selenium.
"""

import functools
import http.server
import json
import pathlib
import subprocess
import sys
import threading

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent
MODEL = EXAMPLES / "models" / "fashion-mnist-scarlet-c.safetensors"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def serve(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def browser():
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--window-size=900,760", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options)


def expected(scarlet, picture):
    lines = subprocess.run([scarlet, "classify", "--json", "--model", MODEL, "--top-k", "5", picture],
                           check=True, capture_output=True, text=True).stdout
    return [(p["label"], p["probability"]) for p in json.loads(lines)["predictions"]]


def main(page, scarlet, screenshot=None):
    size = pathlib.Path(page, "scarlet.wasm").stat().st_size
    assert size < 340_000, size
    driver = browser()
    wait = WebDriverWait(driver, 60)
    try:
        driver.get(serve(page))
        status = lambda: driver.find_element(By.ID, "status").text
        wait.until(lambda _: "is loaded" in status())

        pictures = sorted((EXAMPLES / "pictures").glob("*.png"))
        worst = 0
        for picture in pictures:
            driver.execute_script("document.getElementById('answers').replaceChildren()")
            driver.find_element(By.ID, "file").send_keys(str(picture))
            items = wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, "#answers li"))
            found = [(i.find_element(By.TAG_NAME, "span").text, float(i.get_attribute("data-score"))) for i in items]
            for (label, score), (name, right) in zip(found, expected(scarlet, picture), strict=True):
                assert label == name, (picture, found)
                worst = max(worst, abs(score - right))
        assert worst < 1e-5, worst
        if screenshot:
            driver.save_screenshot(screenshot)

        sample = driver.find_element(By.CSS_SELECTOR, "#samples button:nth-child(2)")
        sample.click()
        wait.until(lambda _: driver.find_elements(By.XPATH, "//ol/li[1]/span[text()='Trouser']"))

        # A file that is no picture and no model is reported, and the page goes on.
        driver.find_element(By.ID, "model").send_keys(str(EXAMPLES / "web" / "README.md"))
        wait.until(lambda _: "not a checkpoint" in driver.find_element(By.ID, "error").text)
        sample.click()  # by the model that was there before
        wait.until(lambda _: not driver.find_element(By.ID, "error").text)
        wait.until(lambda _: driver.find_elements(By.XPATH, "//ol/li[1]/span[text()='Trouser']"))
        driver.find_element(By.ID, "model").send_keys(str(MODEL))
        wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, "#answers li"))
        assert not driver.find_element(By.ID, "error").text
        sent = driver.execute_script("return performance.getEntriesByType('resource').map(e => new URL(e.name).host)")
        assert set(sent) == {driver.execute_script("return location.host")}, sent
        errors = [e for e in driver.get_log("browser") if e["level"] == "SEVERE" and "favicon" not in e["message"]]
        assert not errors, errors
        driver.get(pathlib.Path(page, "index.html").resolve().as_uri())
        assert "http.server" in status(), status()
    finally:
        driver.quit()
    print(f"{len(pictures)} pictures: the page gives the command's labels, scores within {worst:.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
