package metrics

// calibrationDefinitions; BINS is left_closed_N, right_closed_N, equal_mass_N or
// quantiles_N.
var calibrationDefinitions = []Definition{
	{"ece_BINS@1", "Bins.ECE", "probabilities", unit01, lower, "mean over rows of |right - confidence| of the row's bin", "empty bins do not count"},
	{"ece_l2_BINS@1", "Bins.RMS", "probabilities", unit01, lower, "root of the mean over rows of its square", "empty bins do not count"},
	{"ece_l2_debiased_BINS@1", "Bins.DebiasedRMS", "probabilities", unit01, lower, "the same less r(1-r)/(n-1) a bin, 0 if negative (Kumar, Liang and Ma)", "bins of one row count 0"},
	{"mce_BINS@1", "Bins.Max", "probabilities", unit01, lower, "largest |right - confidence| of a bin", "empty bins do not count"},
	{"smece@1", "Calibration.Smooth", "probabilities", unit01, lower, "smooth calibration error at the smallest of ten bisected bandwidths not below it (Blasiok and Nakkiran)", ""},
	{"smece_at@1", "Calibration.SmoothAt", "probabilities", unit01, lower, "smooth calibration error at a bandwidth", "bandwidth outside [0.001, 1]: undefined"},
	{"cox_slope@1", "Calibration.Cox", "probabilities", anyReal, "1", "slope of the logistic regression on logits", "p of 0 or 1, one outcome, separation: undefined"},
	{"cox_intercept@1", "Calibration.Cox", "probabilities", anyReal, "0", "its intercept", "as the slope"},
	{"calibration_in_the_large@1", "Calibration.Cox", "probabilities", anyReal, "0", "intercept with slope 1", "p of 0 or 1, one outcome: undefined"},
	{"calibration_ratio@1", "Calibration.Ratio", "probabilities", atZero, "1", "sum of p / number that came true", "none came true: undefined"},
}

// changeDefinitions are of two models on the same rows.
var changeDefinitions = []Definition{
	{"nfr_of_right@1", "Cells.Lost", "labels of two models", unit01, lower, "broken rows / rows that the baseline got right: 1 - BTC", "none right: undefined"},
	{"bec_mslib@1", "Cells.BECLibrary", "labels of two models", unit01, higher, "both wrong / baseline wrong: error compatibility of BackwardCompatibilityML, not the paper's", "baseline never wrong: undefined"},
	{"agreement@1", "Cells.Agreement", "labels of two models", unit01, "", "share of rows with the same class from both", ""},
	{"flip_cost_broke@1", "Pair.FlipCost", "labels of two models, costs", atZero, lower, "cost a row of the answers of broken rows", ""},
	{"flip_cost_fixed@1", "Pair.FlipCost", "labels of two models, costs", atZero, higher, "cost a row that the baseline's answers of fixed rows had", ""},
	{"flip_cost_change@1", "Pair.FlipCost", "labels of two models, costs", anyReal, lower, "change of the cost a row over all rows", ""},
	{"flip_concentration@1", "Pair.FlipConcentration", "labels of two models, slices", unit01, lower, "half the sum over groups of |share of the cost of broken rows - share of rows|", "nothing broke: undefined"},
	{"flip_lift@1", "Pair.FlipConcentration", "labels of two models, slices", "[1, inf)", lower, "most that the rows of a group cost, over the average row", "nothing broke: undefined"},
	{"score_mean_change@1", "CompareScores", "scores of two models", anyReal, "", "mean of candidate - baseline", ""},
	{"score_mean_abs_change@1", "CompareScores", "scores of two models", atZero, "", "mean of its size", ""},
	{"score_rms_change@1", "CompareScores", "scores of two models", atZero, "", "root of its mean square", ""},
	{"score_p95_change@1", "CompareScores", "scores of two models", atZero, "", "95th percentile of its size, linear between rows", ""},
	{"score_max_change@1", "CompareScores", "scores of two models", atZero, "", "its largest size", ""},
	{"symmetric_prediction_difference@1", "CompareScores", "scores of two models", "[0, 2]", "", "mean of 2|d| / |a + b|", "0 where both are 0"},
	{"flips_above@1", "CompareScores", "scores of two models", unit01, "", "share of rows that rise above a threshold", ""},
	{"flips_below@1", "CompareScores", "scores of two models", unit01, "", "share of rows that fall to it or below", ""},
	{"footrule@1", "CompareRanks", "scores of two models", atZero, "", "sum of |rank change|", "midranks"},
	{"footrule_norm@1", "CompareRanks", "scores of two models", unit01, "", "footrule / floor(n^2/2)", "one row: undefined"},
	{"max_move@1", "CompareRanks", "scores of two models", atZero, "", "largest |rank change|", "midranks"},
	{"topk_overlap@1", "CompareRanks", "scores of two models", unit01, "", "share of the baseline's top k in the candidate's", "ties by row order"},
	{"topk_jaccard@1", "CompareRanks", "scores of two models", unit01, "", "common rows / all rows of both top k", "ties by row order"},
}

// shiftDefinitions are of two samples or two tables of counts.
var shiftDefinitions = []Definition{
	{"psi@1", "Samples.PSI", "two samples, or counts", atZero, "", "sum (q-p) ln(q/p) over the baseline's type-7 quantile bins, closed on the right, shares at least 0.0001", "equal edges merged"},
	{"psi_sturges@1", "Samples.PSISturges", "two samples", atZero, "", "the same over Sturges' bins of both samples, zeros replaced, as evidently", ""},
	{"kl_nats@1", "Shares.KL", "two counts", atZero, "", "sum p ln(p/q)", "a category that only the baseline has: undefined"},
	{"js_divergence_nats@1", "Shares.JSDivergence", "two counts", "[0, ln 2]", "", "Jensen-Shannon divergence in nats", ""},
	{"js_distance_base2@1", "Shares.JSDistance", "two counts", unit01, "", "root of the divergence to base 2", ""},
	{"hellinger@1", "Shares.Hellinger", "two counts", unit01, "", "Hellinger distance", ""},
	{"total_variation@1", "Shares.TotalVariation", "two counts", unit01, "", "half of sum |p - q|", ""},
	{"l_infinity@1", "Shares.LInf", "two counts", unit01, "", "largest |p - q|", ""},
	{"chi_square@1", "Shares.ChiSquare", "two counts", atZero, "", "Pearson's statistic of the table", "categories empty in both are dropped"},
	{"g_test@1", "Shares.GTest", "two counts", atZero, "", "likelihood-ratio statistic of the table", "categories empty in both are dropped"},
	{"ks@1", "Samples.KS", "two samples", unit01, "", "largest difference of distribution functions", ""},
	{"wasserstein@1", "Samples.Wasserstein", "two samples", atZero, "", "area between distribution functions", ""},
	{"energy@1", "Samples.Energy", "two samples", atZero, "", "energy distance", ""},
	{"mmd2_rbf_unbiased@1", "Samples.MMD", "two samples", anyReal, "", "squared maximum mean discrepancy with exp(-gamma d^2), unbiased", "fewer than 2 rows a side: undefined"},
	{"mmd2_rbf_biased@1", "Samples.MMD", "two samples", atZero, "", "the same with the diagonal", ""},
	{"mann_whitney@1", "Samples.MannWhitney", "two samples", atZero, "", "U of the baseline, ties half", ""},
	{"cramer_von_mises@1", "Samples.CramerVonMises", "two samples", atZero, "", "two-sample statistic", ""},
	{"anderson_darling@1", "Samples.AndersonDarling", "two samples", anyReal, "", "standardised k-sample statistic, midranks", ""},
}

var regressionDefinitions = []Definition{
	{"mae@1", "Regression.MAE", "numbers, weights", atZero, lower, "mean |y - p|", ""},
	{"mse@1", "Regression.MSE", "numbers, weights", atZero, lower, "mean (y - p)^2", ""},
	{"rmse@1", "Regression.RMSE", "numbers, weights", atZero, lower, "root of mse", ""},
	{"median_ae@1", "Regression.MedianAE", "numbers, weights", atZero, lower, "median |y - p|", "weighted: least error that reaches half the weight"},
	{"max_error@1", "Regression.MaxError", "numbers, weights", atZero, lower, "largest |y - p|", "rows of weight 0 do not count"},
	{"mape@1", "Regression.MAPE", "numbers, weights", atZero, lower, "mean |y - p| / max(|y|, 2^-52)", ""},
	{"smape@1", "Regression.SMAPE", "numbers, weights", "[0, 2]", lower, "mean 2|y - p| / (|y| + |p|)", "0/0 is 0"},
	{"msle@1", "Regression.MSLE", "numbers, weights", atZero, lower, "mean (ln(1+y) - ln(1+p))^2", "a negative number: undefined"},
	{"pinball@1", "Regression.Pinball", "numbers, weights", atZero, lower, "mean quantile loss", ""},
	{"r2@1", "Regression.R2", "numbers, weights", "(-inf, 1]", higher, "1 - squared error / squared deviation", "constant truth 1 or 0; one row undefined"},
	{"explained_variance@1", "Regression.ExplainedVariance", "numbers, weights", "(-inf, 1]", higher, "1 - variance of errors / of truth", "as r2"},
	{"pearson@1", "Pearson", "two columns", minus1, higher, "correlation", "a constant column: undefined"},
	{"spearman@1", "Spearman", "two columns", minus1, higher, "correlation of midranks", "a constant column: undefined"},
	{"kendall_b@1", "Concordance.KendallB", "two columns", minus1, higher, "tau-b", "a constant column: undefined"},
	{"kendall_c@1", "Concordance.KendallC", "two columns", minus1, higher, "Stuart's tau-c", "a constant column: undefined"},
}

var rankingDefinitions = []Definition{
	{"dcg@1", "Ranking.DCG", "relevance, scores", atZero, higher, "sum of gain / log2(rank + 1) over the first k", "ties by row order"},
	{"ndcg@1", "Ranking.NDCG", "relevance, scores", unit01, higher, "DCG / that of the best order, gain linear", "nothing relevant: 0"},
	{"ndcg_exp@1", "Ranking.NDCG", "relevance, scores", unit01, higher, "the same with gain 2^relevance - 1", "nothing relevant: 0"},
	{"dcg_tied@1", "Ranking.DCGTied", "relevance, scores", atZero, higher, "DCG with the mean gain of tied items, as scikit-learn", ""},
	{"ndcg_tied@1", "Ranking.NDCGTied", "relevance, scores", unit01, higher, "that over the best order's", "nothing relevant: 0"},
	{"precision_at_k@1", "Ranking.Precision", "relevance, scores", unit01, higher, "relevant items in the first k / k", ""},
	{"recall_at_k@1", "Ranking.Recall", "relevance, scores", unit01, higher, "relevant items in the first k / relevant items", "nothing relevant: 0"},
	{"hit_at_k@1", "Ranking.Hit", "relevance, scores", unit01, higher, "whether the first k hold a relevant item", ""},
	{"mrr@1", "Ranking.ReciprocalRank", "relevance, scores", unit01, higher, "1 / rank of the first relevant item, mean over queries", "nothing relevant: 0"},
	{"map@1", "Ranking.AveragePrecision", "relevance, scores", unit01, higher, "mean precision at relevant ranks, mean over queries", "nothing relevant: 0"},
}

var textDefinitions = []Definition{
	{"exact_match@1", "ExactMatch", "texts", unit01, higher, "the same bytes", ""},
	{"squad_em@1", "SQuAD", "texts", unit01, higher, "the same words after SQuAD 2.0's normalisation", ""},
	{"squad_f1@1", "SQuAD", "texts", unit01, higher, "F1 of their words", "both empty 1, one 0"},
	{"rouge1@1", "ROUGE", "texts", unit01, higher, "F1 of words as rouge_score without stemmer", ""},
	{"rouge2@1", "ROUGE", "texts", unit01, higher, "F1 of word pairs", ""},
	{"rougeL@1", "ROUGE", "texts", unit01, higher, "F1 of the longest common subsequence", ""},
	{"bleu@1", "BLEU.Score", "texts", "[0, 100]", higher, "corpus BLEU of sacreBLEU, 13a, exponential smoothing", ""},
	{"sentence_bleu@1", "SentenceBLEU", "texts", "[0, 100]", higher, "BLEU of one text with effective order", ""},
	{"chrf2@1", "ChrF.Score", "texts", "[0, 100]", higher, "chrF of character order 6, beta 2", ""},
	{"chrf2++@1", "ChrF.Score", "texts", "[0, 100]", higher, "chrF with words and word pairs", ""},
	{"ter@1", "TER.Score", "texts", atZero, lower, "100 edits and shifts / mean reference length", ""},
	{"cer@1", "ErrorRate.Rate", "texts", atZero, lower, "edits of characters / reference characters", "empty reference: infinite, undefined"},
	{"wer@1", "ErrorRate.Rate", "texts", atZero, lower, "edits of words / reference words", "empty reference: infinite, undefined"},
}

var groupDefinitions = []Definition{
	{"selection_rate@1", "GroupCells.Rate", "labels, slices", unit01, "", "share of a group's rows predicted positive", "no rows: undefined"},
	{"tpr@1", "GroupCells.Rate", "labels, slices", unit01, higher, "true positives / positive rows", "0/0 undefined"},
	{"fnr@1", "GroupCells.Rate", "labels, slices", unit01, lower, "1 - tpr", "0/0 undefined"},
	{"fpr@1", "GroupCells.Rate", "labels, slices", unit01, lower, "false positives / negative rows", "0/0 undefined"},
	{"tnr@1", "GroupCells.Rate", "labels, slices", unit01, higher, "true negatives / negative rows", "0/0 undefined"},
	{"ppv@1", "GroupCells.Rate", "labels, slices", unit01, higher, "true positives / predicted positive", "0/0 undefined"},
	{"fdr@1", "GroupCells.Rate", "labels, slices", unit01, lower, "1 - ppv", "0/0 undefined"},
	{"npv@1", "GroupCells.Rate", "labels, slices", unit01, higher, "true negatives / predicted negative", "0/0 undefined"},
	{"for@1", "GroupCells.Rate", "labels, slices", unit01, lower, "1 - npv", "0/0 undefined"},
	{"prevalence@1", "GroupCells.Rate", "labels, slices", unit01, "", "share of a group's rows that are positive", "no rows: undefined"},
	{"gap_difference@1", "Groups.Gap", "labels, slices", unit01, lower, "largest rate - smallest", "an undefined rate: undefined"},
	{"gap_ratio@1", "Groups.Gap", "labels, slices", unit01, higher, "smallest rate / largest", "all 0: undefined"},
	{"gap_to_overall@1", "Groups.Gap", "labels, slices", unit01, lower, "largest |rate - overall rate|", "an undefined rate: undefined"},
	{"equalized_odds_difference@1", "Groups.EqualizedOdds", "labels, slices", unit01, lower, "larger of the differences of tpr and fpr", "an undefined rate: undefined"},
	{"equalized_odds_ratio@1", "Groups.EqualizedOddsRatio", "labels, slices", unit01, higher, "smaller of their ratios", "an undefined rate: undefined"},
	{"disparity@1", "Groups.Disparity", "labels, slices", atZero, "1", "a group's rate / the reference group's", "reference 0 or undefined: undefined"},
}
