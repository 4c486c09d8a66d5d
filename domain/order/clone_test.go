package order_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// Every field is given a value, and every list two elements: what Clone forgets or shares is found without being named.
func TestACloneIsEqualAndSharesNothingThatChanges(t *testing.T) {
	t.Parallel()
	var o order.Order
	fill(reflect.ValueOf(&o).Elem(), new(int64))
	c := o.Clone()
	require.Equal(t, &o, c)
	apart(t, "Order", reflect.ValueOf(&o).Elem(), reflect.ValueOf(c).Elem())
}

func TestACloneOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	o := order.Order{Lines: []order.Line{}}
	c := o.Clone()
	require.NotNil(t, c.Lines, "an empty list stays one")
	require.Nil(t, c.Holds)
}

func TestACloneHasNothingOfWhatWasNoted(t *testing.T) {
	t.Parallel()
	w := place(t, readme())
	o := w.load()
	require.NoError(t, o.CancelWhole("changed his mind", w.act()))
	require.NotEmpty(t, o.Effects().Events)
	require.Empty(t, o.Clone().Effects())
	require.NotEmpty(t, o.Effects().Events, "the original keeps it")
	require.True(t, o.Same(o.Clone()))
	c := o.Clone()
	c.Lines[0].Units[0].Tax++
	require.False(t, o.Same(c))
}

// Whatever list loses a row, or has another one, the orders are not the same; every list is looked at without being named.
func TestOrdersThatDifferInAnyListAreNotTheSame(t *testing.T) {
	t.Parallel()
	var o order.Order
	fill(reflect.ValueOf(&o).Elem(), new(int64))
	for i := range reflect.TypeFor[order.Order]().NumField() {
		field := reflect.TypeFor[order.Order]().Field(i)
		if !field.IsExported() || field.Type.Kind() != reflect.Slice {
			continue
		}
		shorter, other := o.Clone(), o.Clone()
		require.True(t, o.Same(other), field.Name)
		list := reflect.ValueOf(shorter).Elem().Field(i)
		list.Set(list.Slice(0, 1))
		require.False(t, o.Same(shorter), "%s has lost a row", field.Name)
		list = reflect.ValueOf(other).Elem().Field(i)
		n := int64(1_000_000)
		fill(list.Index(0), &n)
		require.False(t, o.Same(other), "%s has another row", field.Name)
	}
}

// fill gives a value to everything in v that can be seen from outside: another one each time.
func fill(v reflect.Value, n *int64) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(time.Duration(*n).String())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(*n)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(*n, 0)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	default:
		panic("give fill a case for " + v.Kind().String())
	}
}

// apart requires that a and b share no memory, but for times and the return policy.
func apart(t *testing.T, name string, a, b reflect.Value) {
	t.Helper()
	switch a.Kind() {
	case reflect.Slice:
		require.NotEqual(t, a.Pointer(), b.Pointer(), "%s is shared", name)
		for i := range a.Len() {
			apart(t, name, a.Index(i), b.Index(i))
		}
	case reflect.Pointer:
		require.Equal(t, reflect.TypeFor[*time.Time](), a.Type(), "%s is shared", name)
	case reflect.Map:
		require.Fail(t, "shared", name)
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[time.Time]() || a.Type() == reflect.TypeFor[returns.Policy]() {
			return
		}
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() {
				apart(t, name+"."+f.Name, a.Field(i), b.Field(i))
			}
		}
	}
}
