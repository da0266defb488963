#include "balancer/shares.hpp"

#include <algorithm>

namespace scrollgate {

void Shares::assign(std::span<const double> shares) {
    shares_.assign(shares.begin(), shares.end());
    balances_.resize(shares.size(), 0);
    total_ = 0;
    for (const double share : shares)
        total_ += share;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        // A balance of other shares must not outweigh these for many picks.
        balances_[i] = shares[i] > 0 ? std::clamp(balances_[i], -total_, total_) : 0;
    }
}

std::size_t Shares::next() noexcept {
    std::size_t best = shares_.size();
    for (std::size_t i = 0; i < shares_.size(); ++i) {
        if (shares_[i] <= 0) continue;
        balances_[i] += shares_[i];
        if (best == shares_.size() || balances_[i] > balances_[best]) best = i;
    }
    balances_[best] -= total_;
    return best;
}

std::size_t Shares::at(double point) const noexcept {
    double left = point * total_;
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
        if (shares_[i] <= 0) continue;
        chosen = i;  // the last one also takes what rounding leaves over
        left -= shares_[i];
        if (left < 0) break;
    }
    return chosen;
}

}  // namespace scrollgate
