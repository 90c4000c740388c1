using System.Globalization;
using SharpFuzz;

namespace Kist.Fuzz;

/// <summary>
/// The fuzzing harness. Any exception but those for wrong input is a finding.
/// <code>
/// Kist.Fuzz mutate TARGET CORPUS SECONDS SEED FINDINGS    changes samples at random, for a time (fuzz/run.sh)
/// Kist.Fuzz seeds FOLDER QUOTE                            writes samples of the forms that only Kist writes
/// Kist.Fuzz run TARGET FILE                               one input, to look at a finding
/// Kist.Fuzz afl TARGET                                    for afl-fuzz, after instrumenting the libraries with SharpFuzz
/// </code>
/// </summary>
static class Program
{
    static int Main(string[] args)
    {
        if (args is ["seeds", var folder, var quote])
        {
            Seeds.Write(folder, quote);
            return 0;
        }

        if (args is not [var mode, var name, ..] || !Targets.All.TryGetValue(name, out var target))
        {
            Console.Error.WriteLine($"usage: Kist.Fuzz mutate|run|afl {string.Join('|', Targets.All.Keys)} …");
            return 2;
        }

        switch ((mode, args.Length))
        {
            case ("run", 3):
                Targets.Run(target, File.ReadAllBytes(args[2]));
                return 0;
            case ("mutate", 6):
                var seconds = TimeSpan.FromSeconds(int.Parse(args[3], CultureInfo.InvariantCulture));
                return MutationRun.Run(name, target, args[2], seconds, int.Parse(args[4], CultureInfo.InvariantCulture), args[5]) == 0 ? 0 : 1;
            case ("afl", 2):
                Fuzzer.OutOfProcess.Run(stream =>
                {
                    using var buffer = new MemoryStream();
                    stream.CopyTo(buffer);
                    Targets.Run(target, buffer.ToArray());
                });
                return 0;
            default:
                Console.Error.WriteLine("usage: see the top of fuzz/Kist.Fuzz/Program.cs");
                return 2;
        }
    }
}
