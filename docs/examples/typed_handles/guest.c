// SPDX-License-Identifier: Apache-2.0
// Host objects in a guest. The guest holds externrefs, which it cannot look into, and passes them
// back. C cannot keep them in memory: they live in parameters and results only.

typedef __externref_t Sensor;

#define IMPORT(name) __attribute__((import_module("env"), import_name(name)))

IMPORT("find_sensor") Sensor find_sensor(int id);
IMPORT("is_missing") int is_missing(Sensor sensor);
IMPORT("read_sensor") double read_sensor(Sensor sensor);

static double reading_or(Sensor sensor, double fallback) {
  return is_missing(sensor) ? fallback : read_sensor(sensor);
}

__attribute__((export_name("hotter"))) double hotter(int id, Sensor other) {
  double a = reading_or(find_sensor(id), -273.15);
  double b = reading_or(other, -273.15);
  return a > b ? a : b;
}

__attribute__((export_name("pass"))) Sensor pass(Sensor sensor) { return sensor; }
