using System.CommandLine;
using Kist.Formats;
using Kist.Kubernetes;

namespace Kist.Cli.Commands.Policy;

/// <summary>
/// "kist policy try": would the containers of these manifests be created under this policy, and if not, why? A policy that was
/// generated for an older manifest or image says no here, not in the cluster.
/// </summary>
sealed class TryCommand
{
    private readonly ManifestArguments _manifests = new();
    private readonly Option<string> _policy = new("--policy") { Description = "The agent policy", Required = true, HelpName = "FILE" };
    private readonly Option<bool> _json = PolicyFiles.Json();

    public static Command Create() => new TryCommand().Build();

    private Command Build()
    {
        var command = _manifests.AddTo(new Command("try", "Put the containers of Kubernetes manifests before an agent policy; status 3 if one is denied."));
        command.Add(_policy);
        command.Add(_json);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var review = new ManifestReview();
        var set = _manifests.ReadManifests(parse, review);
        var trial = AgentPolicyTrial.Compile(PolicyFiles.ReadText(parse.GetValue(_policy)!));
        var generator = new PodPolicyGenerator(set, _manifests.Read(parse), _manifests.Images(parse).ResolveAsync, review);
        var reports = new List<TrialReport>();
        foreach (var workload in set.Workloads)
        {
            foreach (var container in await generator.PinAsync(workload, cancellationToken))
            {
                var result = trial.Create(HonestCluster.CreateRequest(container, withOptional: true));
                reports.Add(new TrialReport($"{workload.Kind}/{workload.Name}", container.Name, result.IsAllowed, result.Conditions, result.Failures));
            }
        }

        if (review.Remarks.Any(r => r.IsRefusal))
        {
            ManifestArguments.Print(review);
            return ExitCode.Refused;
        }

        if (reports.Count == 0)
            throw new OperationFailedException("try policy", "manifests", "there is no object that makes pods");
        if (parse.GetValue(_json))
            Console.Out.WriteLine(PolicyReportJson.Write(reports));
        else
            Print(reports);
        return reports.All(r => r.Allowed) ? ExitCode.Success : ExitCode.Refused;
    }

    private static void Print(IReadOnlyList<TrialReport> reports)
    {
        foreach (var report in reports)
        {
            Console.Out.WriteLine($"{report.Workload} {report.Container}: {(report.Allowed ? Terminal.Green("allowed") : Terminal.Red("denied"))}");
            foreach (var condition in report.Conditions)
                Console.Out.WriteLine($"  {condition} does not hold");
            foreach (var failure in report.Failures)
                Console.Out.WriteLine($"  {Terminal.Dim(failure)}");
        }
    }
}
