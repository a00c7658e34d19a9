// SPDX-License-Identifier: Apache-2.0
/// @file
/// Recursion over pointers: builds and walks `n` binary trees of 4095 nodes, with an allocator of
/// its own that hands freed nodes out again.
#include "kernel.h"

enum { kDepth = 11, kNodes = 1 << 14 };

typedef struct Node {
  struct Node* left;
  struct Node* right;
  uint32_t value;
} Node;

static Node nodes[kNodes];
static uint32_t nodes_used;
static Node* free_nodes;

static Node* allocate(void) {
  if (free_nodes) {
    Node* node = free_nodes;
    free_nodes = node->left;
    return node;
  }
  if (nodes_used == kNodes) __builtin_trap();
  return &nodes[nodes_used++];
}

static void release(Node* node) {
  node->left = free_nodes;
  free_nodes = node;
}

static Node* build(int depth, uint32_t value) {
  Node* node = allocate();
  node->value = value;
  node->left = depth > 0 ? build(depth - 1, value * 2) : 0;
  node->right = depth > 0 ? build(depth - 1, value * 2 + 1) : 0;
  return node;
}

static uint32_t sum(const Node* node) {
  if (!node) return 1;
  return node->value + 3 * sum(node->left) + 5 * sum(node->right);
}

static void release_all(Node* node) {
  if (!node) return;
  release_all(node->left);
  release_all(node->right);
  release(node);
}

int run(int n) {
  nodes_used = 0;
  free_nodes = 0;
  uint32_t checksum = 0;
  for (int i = 0; i < n; ++i) {
    Node* tree = build(kDepth, (uint32_t)i);
    checksum = checksum * 31 + sum(tree);
    release_all(tree);
  }
  return (int)checksum;
}
