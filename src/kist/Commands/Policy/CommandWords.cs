using System.Text;
using Kist.Formats;

namespace Kist.Cli.Commands.Policy;

/// <summary>Splits a command into words as a shell would that expands nothing: spaces, '…', "…" and \.</summary>
static class CommandWords
{
    public static IReadOnlyList<string> Split(string text)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && quote != '\'' && i + 1 < text.Length)
                (word ??= new()).Append(text[++i]);
            else if (c == quote)
                quote = '\0';
            else if (quote == '\0' && (c is '\'' or '"'))
                (quote, word) = (c, word ?? new());
            else if (quote == '\0' && char.IsWhiteSpace(c))
                Finish();
            else
                (word ??= new()).Append(c);
        }

        if (quote != '\0')
            throw new OperationFailedException("read command", text, $"a {quote} is not closed");
        Finish();
        return words;

        void Finish()
        {
            if (word is not null)
                words.Add(word.ToString());
            word = null;
        }
    }
}
