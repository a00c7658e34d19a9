// SPDX-License-Identifier: Apache-2.0
/// @file
/// Floating point: five bodies under gravity, `n` steps.
#include "kernel.h"

enum { kBodies = 5, kAxes = 3 };

typedef struct {
  double position[kAxes];
  double velocity[kAxes];
  double mass;
} Body;

static void reset(Body* bodies) {
  for (int i = 0; i < kBodies; ++i) {
    for (int axis = 0; axis < kAxes; ++axis) {
      bodies[i].position[axis] = (double)((i * 7 + axis * 3) % 11) - 5.0;
      bodies[i].velocity[axis] = (double)((i * 5 + axis * 2) % 7) * 0.01 - 0.03;
    }
    bodies[i].mass = 1.0 / (1.0 + i);
  }
}

static void step(Body* bodies, double dt) {
  for (int i = 0; i < kBodies; ++i) {
    for (int j = i + 1; j < kBodies; ++j) {
      double delta[kAxes];
      double square = 0.01;
      for (int axis = 0; axis < kAxes; ++axis) {
        delta[axis] = bodies[i].position[axis] - bodies[j].position[axis];
        square += delta[axis] * delta[axis];
      }
      const double force = dt / (square * __builtin_sqrt(square));
      for (int axis = 0; axis < kAxes; ++axis) {
        bodies[i].velocity[axis] -= delta[axis] * bodies[j].mass * force;
        bodies[j].velocity[axis] += delta[axis] * bodies[i].mass * force;
      }
    }
  }
  for (int i = 0; i < kBodies; ++i) {
    for (int axis = 0; axis < kAxes; ++axis) {
      bodies[i].position[axis] += dt * bodies[i].velocity[axis];
    }
  }
}

int run(int n) {
  Body bodies[kBodies];
  reset(bodies);
  for (int i = 0; i < n; ++i) step(bodies, 0.001);
  double sum = 0;
  for (int i = 0; i < kBodies; ++i) {
    for (int axis = 0; axis < kAxes; ++axis) sum += bodies[i].position[axis] * (i + 1);
  }
  return (int)(sum * 1e6);
}
