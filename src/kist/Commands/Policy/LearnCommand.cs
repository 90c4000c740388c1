using System.CommandLine;
using Kist.Formats;
using Kist.Host;
using Kist.Pods.Protocol;

namespace Kist.Cli.Commands.Policy;

/// <summary>"kist policy learn": the smallest policy under which an observed run would have been allowed.</summary>
static class LearnCommand
{
    public static Command Create()
    {
        var records = new Argument<string[]>("RECORD") { Description = "Files that kist run --learn wrote, of runs of one workload", Arity = ArgumentArity.OneOrMore };
        var command = new Command("learn", "Propose the smallest agent policy for what runs in learn mode have asked.") { records };
        command.SetAction(parse =>
        {
            var requests = (parse.GetValue(records) ?? []).SelectMany(f => LearnedRequest.ReadAll(PolicyFiles.ReadText(f))).ToList();
            try
            {
                Console.Out.Write(WorkloadPolicy.Write(PolicyLearner.Learn(requests)));
            }
            catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new MalformedDataException("record of requests", -1, "an input lacks a member, or has it of another type", e);
            }

            foreach (var denied in requests.Where(r => !r.IsAllowed).Select(r => r.Rule).Distinct().Order(StringComparer.Ordinal))
                Terminal.Note($"the policy of the run would have denied a {denied}");
            Terminal.Hint("a policy that was learned says what happened, not what should: read it before it is used");
            return ExitCode.Success;
        });
        return command;
    }
}
