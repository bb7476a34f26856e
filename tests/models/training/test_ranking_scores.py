"""The two numbers that choose an epoch, by hand and against ir-measures."""

import doctest

import ir_measures
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import ScoredDoc, nDCG

import models.training.ranking_scores
from models.training.ranking_scores import ndcg_at, recall_at


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(models.training.ranking_scores).failed == 0


def test_a_query_with_nothing_relevant_does_not_count():
    scores = torch.tensor([[0.9, 0.1], [0.9, 0.1]])
    relevant = torch.tensor([[True, False], [False, False]])
    assert recall_at(scores, relevant, 1) == ndcg_at(scores, relevant, 1) == 1.0
    assert recall_at(scores, relevant & False, 1) == ndcg_at(scores, relevant & False, 1) == 0.0


def test_finding_ten_of_twelve_in_ten_places_is_all_one_can_do():
    scores = torch.arange(20.0).flip(0)[None]
    relevant = (torch.arange(20) < 12)[None]
    assert recall_at(scores, relevant, 10) == 1.0
    assert ndcg_at(scores, relevant, 10) == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(15)), st.sets(st.integers(0, 14), min_size=1, max_size=12))
def test_ndcg_is_the_librarys(order, right):
    scores = torch.tensor([[float(value) for value in order]])
    relevant = torch.tensor([[number in right for number in range(15)]])
    run = [ScoredDoc("q", str(number), float(value)) for number, value in enumerate(order)]
    qrels = [ir_measures.Qrel("q", str(number), 1) for number in right]
    expected = ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]
    assert ndcg_at(scores, relevant, 10) == pytest.approx(expected, abs=1e-6)
