using System.Numerics;

namespace Kist.Rego.Builtins;

/// <summary>Parses times by Go's layouts.</summary>
static partial class GoTime
{
    /// <summary>The instant in nanoseconds since 1970.</summary>
    /// <exception cref="FormatException">The text does not follow the layout.</exception>
    public static BigInteger Parse(string layout, string text)
    {
        var reader = new Reader(layout, text);
        foreach (var (part, isElement) in GoTimeLayouts.Parts(layout))
        {
            if (isElement)
                reader.Element(part);
            else
                reader.Literal(part[0]);
        }

        return reader.Finish();
    }

    private sealed class Reader(string layout, string text)
    {
        private int _i;
        private int _year;
        private int _month = 1;
        private int _day = 1;
        private int _dayOfYear = -1;
        private int _hour;
        private int _minute;
        private int _second;
        private int _nanosecond;
        private bool _isPm;
        private bool _isAm;
        private TimeSpan _offset;

        public void Literal(char expected)
        {
            if (expected == ' ')
            {
                // One or more spaces match any number of spaces, as in Go.
                while (_i < text.Length && text[_i] == ' ')
                    _i++;
                return;
            }

            if (_i >= text.Length || text[_i] != expected)
                throw Error();
            _i++;
        }

        public void Element(string element)
        {
            switch (element)
            {
                case "2006": _year = Digits(4, 4); break;
                case "06": _year = Digits(2, 2) is var y && y >= 69 ? 1900 + y : 2000 + y; break;
                case "January": _month = Name(English.DateTimeFormat.MonthNames); break;
                case "Jan": _month = Name(English.DateTimeFormat.AbbreviatedMonthNames); break;
                case "01": _month = Digits(2, 2); break;
                case "1": _month = Digits(1, 2); break;
                case "Monday": Name(English.DateTimeFormat.DayNames); break;
                case "Mon": Name(English.DateTimeFormat.AbbreviatedDayNames); break;
                case "02": _day = Digits(2, 2); break;
                case "2": _day = Digits(1, 2); break;
                case "_2":
                    SkipSpace();
                    _day = Digits(1, 2);
                    break;
                case "002": _dayOfYear = Digits(3, 3); break;
                case "__2":
                    SkipSpace();
                    SkipSpace();
                    _dayOfYear = Digits(1, 3);
                    break;
                case "15": _hour = Digits(2, 2); break;
                case "03": _hour = Digits(2, 2); break;
                case "3": _hour = Digits(1, 2); break;
                case "04": _minute = Digits(2, 2); break;
                case "4": _minute = Digits(1, 2); break;
                case "05": Second(2); break;
                case "5": Second(1); break;
                case "PM" or "pm": Half(); break;
                case "MST": Abbreviation(); break;
                case ['.' or ',', ..]: FixedFraction(element); break;
                default: Offset(element); break;
            }
        }

        public BigInteger Finish()
        {
            if (_i != text.Length)
                throw new FormatException($"parsing time \"{text}\": extra text: \"{text[_i..]}\"");
            if (_isPm && _hour < 12)
                _hour += 12;
            else if (_isAm && _hour == 12)
                _hour = 0;
            if (_month is < 1 or > 12 || _hour > 23 || _minute > 59 || _second > 59 || _year is < 1 or > 9999)
                throw Range();
            DateTime date;
            if (_dayOfYear >= 0)
                date = _dayOfYear is >= 1 && _dayOfYear <= (DateTime.IsLeapYear(_year) ? 366 : 365) ? new DateTime(_year, 1, 1).AddDays(_dayOfYear - 1) : throw Range();
            else
                date = _day >= 1 && _day <= DateTime.DaysInMonth(_year, _month) ? new DateTime(_year, _month, _day) : throw Range();
            var ticks = date.Ticks + new TimeSpan(_hour, _minute, _second).Ticks - _offset.Ticks - DateTime.UnixEpoch.Ticks;
            return (new BigInteger(ticks) * 100) + _nanosecond;
        }

        private void Second(int least)
        {
            _second = Digits(least, 2);
            // A fraction may follow even where the layout has none.
            if (_i + 1 < text.Length && text[_i] is '.' or ',' && char.IsAsciiDigit(text[_i + 1]) && !LayoutHasFraction)
                Fraction();
        }

        private bool LayoutHasFraction => GoTimeLayouts.Parts(layout).Any(p => p is { IsElement: true, Text: ['.' or ',', ..] });

        private void FixedFraction(string element)
        {
            if (_i < text.Length && text[_i] == element[0])
                Fraction(element[1] == '0' ? element.Length - 1 : null);
            else if (element[1] == '0')
                throw Error();
        }

        private void Fraction(int? length = null)
        {
            var start = ++_i;
            while (_i < text.Length && char.IsAsciiDigit(text[_i]) && (length is null || _i - start < length))
                _i++;
            if (_i == start || (length is { } exact && _i - start != exact))
                throw Error();
            _nanosecond = int.Parse(text[start..Math.Min(_i, start + 9)].PadRight(9, '0'), English);
        }

        private void Half()
        {
            var half = _i + 2 <= text.Length ? text.Substring(_i, 2) : "";
            _isPm = half is "PM" or "pm";
            _isAm = half is "AM" or "am";
            if (!_isPm && !_isAm)
                throw Error();
            _i += 2;
        }

        private void Abbreviation()
        {
            var start = _i;
            while (_i < text.Length && char.IsAsciiLetterUpper(text[_i]))
                _i++;
            if (_i - start is < 3 or > 5)
                throw Error();
            // Go takes unknown abbreviations as UTC; so does it take all known ones when parsed without a location.
        }

        private void Offset(string element)
        {
            if (element[0] == 'Z' && _i < text.Length && text[_i] == 'Z')
            {
                _i++;
                return;
            }

            if (_i >= text.Length || text[_i] is not ('+' or '-'))
                throw Error();
            var sign = text[_i++] == '-' ? -1 : 1;
            var (hours, minutes, seconds) = (Digits(2, 2), 0, 0);
            var colon = element.Contains(':');
            var parts = element.Count(char.IsAsciiDigit) / 2;
            if (parts > 1)
            {
                Colon(colon);
                minutes = Digits(2, 2);
            }

            if (parts > 2)
            {
                Colon(colon);
                seconds = Digits(2, 2);
            }

            if (hours > 24 || minutes > 59 || seconds > 59)
                throw Range();
            _offset = sign * new TimeSpan(hours, minutes, seconds);
        }

        private void Colon(bool wanted)
        {
            if (wanted)
                Literal(':');
        }

        private void SkipSpace()
        {
            if (_i < text.Length && text[_i] == ' ')
                _i++;
        }

        private int Digits(int least, int most)
        {
            var start = _i;
            while (_i < text.Length && _i - start < most && char.IsAsciiDigit(text[_i]))
                _i++;
            return _i - start >= least ? int.Parse(text.AsSpan(start, _i - start), English) : throw Error();
        }

        private int Name(string[] names)
        {
            for (var n = 0; n < names.Length; n++)
            {
                if (names[n].Length > 0 && string.Compare(text, _i, names[n], 0, names[n].Length, StringComparison.OrdinalIgnoreCase) == 0)
                {
                    _i += names[n].Length;
                    return n + 1;
                }
            }

            throw Error();
        }

        private FormatException Error() => new($"parsing time \"{text}\" as \"{layout}\": cannot parse \"{text[Math.Min(_i, text.Length)..]}\"");

        private FormatException Range() => new($"parsing time \"{text}\": a part is out of range");
    }
}
