"""Generated code on a simulated Cortex-M7: counts of instructions, by QEMU."""
