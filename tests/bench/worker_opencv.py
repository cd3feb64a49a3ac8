"""OpenCV's dnn module. worker_opencv.py MODEL.onnx INPUT BATCH THREADS"""

import sys

import cv2
from worker import pictures, serve

path, source, batch, threads = sys.argv[1:]
cv2.setNumThreads(int(threads))
x = pictures(source, int(batch))
network = None


def load():
    global network
    network = cv2.dnn.readNetFromONNX(path)
    network.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    network.setPreferableTarget(cv2.dnn.DNN_TARGET_CPU)


def run():
    network.setInput(x)
    return network.forward()


serve(load, run, cv2.__version__)
