// Package money does the arithmetic of money: whole minor units, never a float.
//
// It owns currencies and their exponents, spreading an amount so that its parts sum exactly, and decimal text in
// and out. It does not own what an amount is for (domain/order) or who holds it (domain/payment).
package money
