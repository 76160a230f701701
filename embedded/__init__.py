"""The path from a chosen run to a microcontroller: conversion, parity, budget, firmware.
Imports models/, data/ and the study's run store.
"""
